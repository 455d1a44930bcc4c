"""leavers"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

OPEN = sa.text("state NOT IN ('done', 'handed_back', 'refused', 'stopped')")


def upgrade() -> None:
    op.create_table('leaver',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('origin', sa.String(length=16), nullable=False),
    sa.Column('why', sa.String(length=200), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('deed', sa.String(length=16), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoke_tokens', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('message_by', sa.String(length=16), nullable=False),
    sa.Column('message', sa.String(length=1000), nullable=False),
    sa.Column('successors', sa.JSON(), nullable=False),
    sa.Column('choices', sa.JSON(), nullable=False),
    sa.Column('obstacles', sa.JSON(), nullable=False),
    sa.Column('created_by', sa.String(length=128), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('looked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('confirmed_by', sa.String(length=128), nullable=True),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('run_id', sa.String(length=36), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('troubles', sa.Integer(), nullable=False),
    sa.Column('resume_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_leaver_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_leaver'))
    )
    with op.batch_alter_table('leaver', schema=None) as batch_op:
        batch_op.create_index('ix_leaver_by_person', ['organization_id', 'account_id'], unique=False)
        batch_op.create_index('ix_leaver_by_time', ['organization_id', 'created_at'], unique=False)
        batch_op.create_index('ix_leaver_due', ['resume_at'], unique=False)
        batch_op.create_index('uq_leaver_open', ['organization_id', 'account_id'], unique=True, sqlite_where=OPEN, postgresql_where=OPEN)

    op.create_table('leaver_look',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('leaver_id', sa.String(length=36), nullable=False),
    sa.Column('client_key', sa.String(length=255), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('site', sa.String(length=500), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('cursor', sa.String(length=2000), nullable=False),
    sa.Column('found', sa.Integer(), nullable=False),
    sa.Column('listed', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.ForeignKeyConstraint(['organization_id', 'leaver_id'], ['leaver.organization_id', 'leaver.id'], name=op.f('fk_leaver_look_organization_id_leaver_id_leaver'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'leaver_id', 'client_key', 'kind', name=op.f('pk_leaver_look'))
    )

    op.create_table('belonging',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('leaver_id', sa.String(length=36), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('client_key', sa.String(length=255), nullable=False),
    sa.Column('reference', sa.String(length=100), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('name', sa.String(length=500), nullable=False),
    sa.Column('detail', sa.String(length=300), nullable=False),
    sa.Column('project', sa.String(length=100), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('successor', sa.String(length=128), nullable=False),
    sa.Column('objection', sa.String(length=500), nullable=False),
    sa.Column('checked', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('returns', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('before', sa.JSON(), nullable=True),
    sa.Column('after', sa.JSON(), nullable=True),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id', 'leaver_id'], ['leaver.organization_id', 'leaver.id'], name=op.f('fk_belonging_organization_id_leaver_id_leaver'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'leaver_id', 'kind', 'client_key', 'reference', name=op.f('pk_belonging'))
    )
    with op.batch_alter_table('belonging', schema=None) as batch_op:
        batch_op.create_index('ix_belonging_by_state', ['organization_id', 'leaver_id', 'state', 'place'], unique=False)

def downgrade() -> None:
    op.drop_table('belonging')
    op.drop_table('leaver_look')
    op.drop_table('leaver')
