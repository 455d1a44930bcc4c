"""roster"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('profile',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('name_key', sa.String(length=100), nullable=False),
    sa.Column('description', sa.String(length=500), server_default='', nullable=False),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('groups', sa.JSON(), nullable=False),
    sa.Column('days', sa.Integer(), nullable=True),
    sa.Column('created_by', sa.String(length=128), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name='fk_profile_organization_id_organization', ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name='pk_profile'),
    sa.UniqueConstraint('organization_id', 'name_key', name='uq_profile_organization_id_name_key')
    )
    with op.batch_alter_table('run') as batch_op:
        batch_op.add_column(sa.Column('origin', sa.String(length=16), server_default='', nullable=False))
        batch_op.add_column(sa.Column('origin_id', sa.String(length=36), server_default='', nullable=False))
        batch_op.create_index('ix_run_by_origin', ['organization_id', 'origin', 'origin_id', 'created_at'])
    with op.batch_alter_table('run_case') as batch_op:
        batch_op.add_column(sa.Column('email', sa.String(length=320), nullable=True))
        batch_op.add_column(sa.Column('action', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('line', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('starts_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('because_facts', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('ends_on', sa.Date(), nullable=True))
    op.create_table('bad_row',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('run_id', sa.String(length=36), nullable=False),
    sa.Column('line', sa.Integer(), nullable=False),
    sa.Column('is_header', sa.Boolean(), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('cells', sa.JSON(), nullable=False),
    sa.Column('problems', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id', 'run_id'], ['run.organization_id', 'run.id'], name='fk_bad_row_organization_id_run_id_run', ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'run_id', 'line', name='pk_bad_row')
    )
    op.add_column('directory_group', sa.Column('gone', sa.Boolean(), server_default=sa.false(), nullable=False))
    present = sa.text('left_at IS NULL')
    op.add_column('person', sa.Column('address', sa.String(length=320), server_default='', nullable=False))
    op.execute("UPDATE person SET address = lower(email) WHERE email IS NOT NULL")
    op.create_index('ix_person_by_address', 'person',
        ['organization_id', 'address', 'account_id', 'left_at'], sqlite_where=present, postgresql_where=present)


def downgrade() -> None:
    op.drop_index('ix_person_by_address', table_name='person')
    op.drop_column('person', 'address')
    op.drop_column('directory_group', 'gone')
    op.drop_table('bad_row')
    with op.batch_alter_table('run_case') as batch_op:
        for name in ('ends_on', 'because_facts', 'starts_at', 'line', 'action', 'email'):
            batch_op.drop_column(name)
    with op.batch_alter_table('run') as batch_op:
        batch_op.drop_index('ix_run_by_origin')
        batch_op.drop_column('origin_id')
        batch_op.drop_column('origin')
    op.drop_table('profile')
