"""access rules"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('access_rule',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('name_key', sa.String(length=100), nullable=False),
    sa.Column('sources', sa.JSON(), nullable=False),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('groups', sa.JSON(), nullable=False),
    sa.Column('profile_id', sa.String(length=36), nullable=True),
    sa.Column('keep_when_over', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('mode', sa.String(length=16), nullable=False),
    sa.Column('brake_number', sa.Integer(), nullable=True),
    sa.Column('brake_share', sa.Integer(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('seen_version', sa.Integer(), nullable=True),
    sa.Column('seen_by', sa.String(length=128), nullable=True),
    sa.Column('created_by', sa.String(length=128), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sync_id', sa.String(length=36), nullable=True),
    sa.Column('evaluations', sa.Integer(), server_default='0', nullable=False),
    sa.Column('again', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('evaluated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_result', sa.String(length=500), server_default='', nullable=False),
    sa.Column('last_run_id', sa.String(length=36), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name='fk_access_rule_organization_id_organization', ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name='pk_access_rule'),
    sa.UniqueConstraint('organization_id', 'name_key', name='uq_access_rule_organization_id_name_key')
    )
    op.create_table('access_given',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('rule_id', sa.String(length=36), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('about', sa.String(length=255), nullable=False),
    sa.Column('role', sa.String(length=64), nullable=False),
    sa.Column('case_id', sa.String(length=36), nullable=False),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('missing', sa.Integer(), server_default='0', nullable=False),
    sa.Column('stopped_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.String(length=300), server_default='', nullable=False),
    sa.Column('over_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('over_case_id', sa.String(length=36), nullable=True),
    sa.ForeignKeyConstraint(['organization_id', 'rule_id'], ['access_rule.organization_id', 'access_rule.id'], name='fk_access_given_organization_id_access_rule', ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'rule_id', 'account_id', 'kind', 'about', 'role', name='pk_access_given')
    )
    op.create_index('ix_access_given_by_case', 'access_given', ['organization_id', 'case_id'])
    op.create_index('ix_access_given_by_end', 'access_given', ['organization_id', 'over_case_id'])
    op.create_table('timed_access',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('case_id', sa.String(length=36), nullable=False),
    sa.Column('run_id', sa.String(length=36), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('warned', sa.JSON(), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('prolonged_until', sa.Date(), nullable=True),
    sa.Column('prolonged_by', sa.String(length=128), nullable=True),
    sa.Column('prolonged_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_by', sa.String(length=128), nullable=True),
    sa.Column('end_run_id', sa.String(length=36), nullable=True),
    sa.Column('reason', sa.String(length=500), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['organization_id', 'case_id'], ['run_case.organization_id', 'run_case.id'], name='fk_timed_access_organization_id_run_case', ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'case_id', name='pk_timed_access')
    )
    op.create_index('ix_timed_by_person', 'timed_access', ['organization_id', 'account_id'])
    op.create_index('ix_timed_due', 'timed_access', ['state', 'next_at'])


def downgrade() -> None:
    op.drop_table('timed_access')
    op.drop_table('access_given')
    op.drop_table('access_rule')
