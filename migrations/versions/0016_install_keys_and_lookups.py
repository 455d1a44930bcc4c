"""install keys that a new process knows, and people of a provider by what they are looked up by"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('install_key',
    sa.Column('kid', sa.String(length=200), nullable=False),
    sa.Column('pem', sa.Text(), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('kid', name=op.f('pk_install_key'))
    )
    with op.batch_alter_table('scim_user', schema=None) as batch_op:
        batch_op.drop_index('ix_scim_user_by_account')
        batch_op.drop_index('ix_scim_user_by_external_id')
        batch_op.create_index('ix_scim_user_by_account', ['organization_id', 'account_id', 'connection_id'], unique=False)
        batch_op.create_index('ix_scim_user_by_external_id', ['organization_id', 'connection_id', 'external_id', 'created_at', 'id'], unique=False)
        batch_op.create_index('ix_scim_user_by_email', ['organization_id', 'connection_id', 'email'], unique=False)
        batch_op.create_index('ix_scim_user_former_name', ['organization_id', 'connection_id', 'user_name_key'], unique=False, sqlite_where=sa.text('deleted_at IS NOT NULL'), postgresql_where=sa.text('deleted_at IS NOT NULL'))
        batch_op.create_index('ix_scim_user_in_hand', ['organization_id', 'connection_id', 'case_id'], unique=False, sqlite_where=sa.text('case_id IS NOT NULL'), postgresql_where=sa.text('case_id IS NOT NULL'))
    with op.batch_alter_table('scim_member', schema=None) as batch_op:
        batch_op.drop_index('ix_scim_member_by_user')
        batch_op.create_index('ix_scim_member_by_user', ['organization_id', 'user_id', 'group_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('scim_member', schema=None) as batch_op:
        batch_op.drop_index('ix_scim_member_by_user')
        batch_op.create_index('ix_scim_member_by_user', ['organization_id', 'user_id'], unique=False)
    with op.batch_alter_table('scim_user', schema=None) as batch_op:
        batch_op.drop_index('ix_scim_user_in_hand', sqlite_where=sa.text('case_id IS NOT NULL'), postgresql_where=sa.text('case_id IS NOT NULL'))
        batch_op.drop_index('ix_scim_user_former_name', sqlite_where=sa.text('deleted_at IS NOT NULL'), postgresql_where=sa.text('deleted_at IS NOT NULL'))
        batch_op.drop_index('ix_scim_user_by_email')
        batch_op.drop_index('ix_scim_user_by_external_id')
        batch_op.drop_index('ix_scim_user_by_account')
        batch_op.create_index('ix_scim_user_by_external_id', ['organization_id', 'connection_id', 'external_id'], unique=False)
        batch_op.create_index('ix_scim_user_by_account', ['organization_id', 'account_id'], unique=False)
    op.drop_table('install_key')
