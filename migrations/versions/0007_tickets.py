"""tickets"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('ticket_rule',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('client_key', sa.String(length=255), nullable=False),
    sa.Column('project', sa.String(length=64), nullable=False),
    sa.Column('request_types', sa.JSON(), nullable=False),
    sa.Column('domains', sa.JSON(), nullable=False),
    sa.Column('groups', sa.JSON(), nullable=False),
    sa.Column('person_field', sa.String(length=100), server_default='', nullable=False),
    sa.Column('profile_id', sa.String(length=36), nullable=True),
    sa.Column('gives', sa.JSON(), nullable=False),
    sa.Column('days', sa.Integer(), nullable=True),
    sa.Column('with_approval', sa.Boolean(), nullable=False),
    sa.Column('comments', sa.Boolean(), nullable=False),
    sa.Column('is_on', sa.Boolean(), nullable=False),
    sa.Column('secret_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('secret_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.String(length=128), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_by', sa.String(length=128), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_call_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_ticket_rule_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_ticket_rule')),
    sa.UniqueConstraint('id', name=op.f('uq_ticket_rule_id'))
    )
    op.create_table('ticket_call',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('rule_id', sa.String(length=36), nullable=False),
    sa.Column('issue_id', sa.String(length=20), nullable=False),
    sa.Column('issue_key', sa.String(length=100), nullable=False),
    sa.Column('body_hash', sa.String(length=64), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('request_type', sa.String(length=255), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('said', sa.String(length=300), nullable=False),
    sa.Column('run_id', sa.String(length=36), nullable=True),
    sa.Column('case_id', sa.String(length=36), nullable=True),
    sa.Column('case_state', sa.String(length=16), nullable=False),
    sa.Column('comment_state', sa.String(length=16), nullable=False),
    sa.Column('comment_reason', sa.String(length=300), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('troubles', sa.Integer(), nullable=False),
    sa.Column('working_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('resume_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id', 'rule_id'], ['ticket_rule.organization_id', 'ticket_rule.id'], name=op.f('fk_ticket_call_organization_id_rule_id_ticket_rule'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_ticket_call')),
    sa.UniqueConstraint('organization_id', 'rule_id', 'issue_id', name=op.f('uq_ticket_call_organization_id_rule_id_issue_id'))
    )
    with op.batch_alter_table('ticket_call', schema=None) as batch_op:
        batch_op.create_index('ix_ticket_call_by_time', ['organization_id', 'rule_id', 'received_at'], unique=False)
        batch_op.create_index('ix_ticket_call_due', ['organization_id', 'resume_at'], unique=False, sqlite_where=sa.text('resume_at IS NOT NULL'), postgresql_where=sa.text('resume_at IS NOT NULL'))
        batch_op.create_index('ix_ticket_call_followed', ['state', 'organization_id', 'case_id'], unique=False)


def downgrade() -> None:
    op.drop_table('ticket_call')
    op.drop_table('ticket_rule')
