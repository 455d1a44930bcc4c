"""notices"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('delivery',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('channel', sa.String(length=8), nullable=False),
    sa.Column('topic', sa.String(length=32), nullable=False),
    sa.Column('target', sa.String(length=128), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('case_id', sa.String(length=36), nullable=True),
    sa.Column('run_id', sa.String(length=36), nullable=True),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('resume_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sending_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_delivery_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_delivery'))
    )
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.create_index('ix_delivery_by_case', ['organization_id', 'case_id'], unique=False)
        batch_op.create_index('ix_delivery_by_time', ['organization_id', 'channel', 'created_at'], unique=False)
        batch_op.create_index('ix_delivery_due', ['organization_id', 'resume_at'], unique=False, sqlite_where=sa.text('resume_at IS NOT NULL'), postgresql_where=sa.text('resume_at IS NOT NULL'))
        batch_op.create_index('ix_delivery_log', ['organization_id', 'created_at'], unique=False)

    op.create_table('hook',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('address_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('secret_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('former_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('former_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('topics', sa.JSON(), nullable=False),
    sa.Column('is_on', sa.Boolean(), nullable=False),
    sa.Column('off_because', sa.String(length=300), nullable=False),
    sa.Column('created_by', sa.String(length=128), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_hook_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_hook'))
    )
    op.create_table('told_matter',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('key', sa.String(length=120), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_told_matter_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'account_id', 'key', name=op.f('pk_told_matter'))
    )
    op.create_table('mail_sender',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('port', sa.Integer(), nullable=False),
    sa.Column('security', sa.String(length=16), nullable=False),
    sa.Column('username', sa.String(length=255), nullable=False),
    sa.Column('password_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('from_address', sa.String(length=320), nullable=False),
    sa.Column('from_name', sa.String(length=100), nullable=False),
    sa.Column('changed_by', sa.String(length=128), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tested_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('problem', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_mail_sender_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', name=op.f('pk_mail_sender'))
    )
    op.create_table('mail_suppression',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('address', sa.String(length=320), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_mail_suppression_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'account_id', name=op.f('pk_mail_suppression'))
    )
    op.create_table('mail_text',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('topic', sa.String(length=32), nullable=False),
    sa.Column('rule_id', sa.String(length=36), nullable=False),
    sa.Column('language', sa.String(length=16), nullable=False),
    sa.Column('subject', sa.String(length=300), nullable=False),
    sa.Column('body', sa.String(length=10000), nullable=False),
    sa.Column('changed_by', sa.String(length=128), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_mail_text_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'topic', 'rule_id', 'language', name=op.f('pk_mail_text'))
    )
    op.create_table('answer',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('case_id', sa.String(length=36), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('words', sa.String(length=500), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decision', sa.String(length=16), nullable=False),
    sa.Column('decided_by', sa.String(length=128), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id', 'case_id'], ['run_case.organization_id', 'run_case.id'], name=op.f('fk_answer_organization_id_case_id_run_case'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'case_id', 'kind', name=op.f('pk_answer'))
    )
    with op.batch_alter_table('answer', schema=None) as batch_op:
        batch_op.create_index('ix_answer_open', ['organization_id', 'decision', 'given_at'], unique=False)
        batch_op.create_index('ix_answer_by_person', ['organization_id', 'account_id'], unique=False)

    op.create_table('summary_day',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('numbers', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_summary_day_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'day', name=op.f('pk_summary_day'))
    )
    op.create_table('gadget',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('client_key', sa.String(length=255), nullable=False),
    sa.Column('dashboard_id', sa.String(length=20), nullable=False),
    sa.Column('item_id', sa.String(length=20), nullable=False),
    sa.Column('product', sa.String(length=100), nullable=False),
    sa.Column('days', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_gadget_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'client_key', 'dashboard_id', 'item_id', name=op.f('pk_gadget'))
    )
    with op.batch_alter_table('operator', schema=None) as batch_op:
        batch_op.add_column(sa.Column('digest_stopped_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('organization', schema=None) as batch_op:
        batch_op.add_column(sa.Column('language', sa.String(length=16), server_default='en', nullable=False))
        batch_op.add_column(sa.Column('panel_privacy', sa.String(length=16), server_default='inactive', nullable=False))
        batch_op.add_column(sa.Column('panel_days', sa.Integer(), server_default='90', nullable=False))
        batch_op.add_column(sa.Column('digest', sa.String(length=8), server_default='off', nullable=False))
        batch_op.add_column(sa.Column('digest_sent_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('give_back_cap', sa.Integer(), nullable=True))



def downgrade() -> None:
    with op.batch_alter_table('operator', schema=None) as batch_op:
        batch_op.drop_column('digest_stopped_at')

    with op.batch_alter_table('organization', schema=None) as batch_op:
        batch_op.drop_column('give_back_cap')
        batch_op.drop_column('digest_sent_at')
        batch_op.drop_column('digest')
        batch_op.drop_column('panel_days')
        batch_op.drop_column('panel_privacy')
        batch_op.drop_column('language')

    op.drop_table('gadget')
    op.drop_table('summary_day')
    with op.batch_alter_table('answer', schema=None) as batch_op:
        batch_op.drop_index('ix_answer_by_person')
        batch_op.drop_index('ix_answer_open')

    op.drop_table('answer')
    op.drop_table('mail_text')
    op.drop_table('mail_suppression')
    op.drop_table('mail_sender')
    op.drop_table('told_matter')
    op.drop_table('hook')
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index('ix_delivery_log')
        batch_op.drop_index('ix_delivery_due')
        batch_op.drop_index('ix_delivery_by_time')
        batch_op.drop_index('ix_delivery_by_case')

    op.drop_table('delivery')
