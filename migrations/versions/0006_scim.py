"""scim"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('scim_connection',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('provider', sa.String(length=16), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=True),
    sa.Column('token_created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_by', sa.String(length=128), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('when_inactive', sa.String(length=16), nullable=False),
    sa.Column('when_deleted', sa.String(length=16), nullable=False),
    sa.Column('begins_leavers', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('mode', sa.String(length=16), nullable=False),
    sa.Column('previewed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('brake_number', sa.Integer(), nullable=True),
    sa.Column('brake_share', sa.Integer(), nullable=True),
    sa.Column('look_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_scim_connection_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_scim_connection')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_scim_connection_token_hash'))
    )
    with op.batch_alter_table('scim_connection', schema=None) as batch_op:
        batch_op.create_index('ix_scim_connection_due', ['look_at'], unique=False)
    op.create_table('scim_group',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('connection_id', sa.String(length=36), nullable=False),
    sa.Column('display_name', sa.String(length=255), nullable=False),
    sa.Column('display_name_key', sa.String(length=400), nullable=False),
    sa.Column('external_id', sa.String(length=255), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('profile_id', sa.String(length=36), nullable=True),
    sa.ForeignKeyConstraint(['organization_id', 'connection_id'], ['scim_connection.organization_id', 'scim_connection.id'], name=op.f('fk_scim_group_organization_id_connection_id_scim_connection'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_scim_group'))
    )
    with op.batch_alter_table('scim_group', schema=None) as batch_op:
        batch_op.create_index('ix_scim_group_by_time', ['organization_id', 'connection_id', 'created_at', 'id'], unique=False)
        batch_op.create_index('uq_scim_group_name', ['organization_id', 'connection_id', 'display_name_key'], unique=True)
    op.create_table('scim_user',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('connection_id', sa.String(length=36), nullable=False),
    sa.Column('user_name', sa.String(length=320), nullable=False),
    sa.Column('user_name_key', sa.String(length=400), nullable=False),
    sa.Column('external_id', sa.String(length=255), nullable=False),
    sa.Column('display_name', sa.String(length=255), nullable=False),
    sa.Column('display_name_key', sa.String(length=400), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('emails_key', sa.String(length=4000), nullable=False),
    sa.Column('typed_emails_key', sa.String(length=4000), nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('account_id', sa.String(length=128), nullable=True),
    sa.Column('dirty_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('state', sa.String(length=16), server_default='waiting', nullable=False),
    sa.Column('reason', sa.String(length=500), server_default='', nullable=False),
    sa.Column('case_id', sa.String(length=36), nullable=True),
    sa.Column('tried', sa.JSON(), nullable=True),
    sa.Column('given', sa.JSON(), nullable=True),
    sa.Column('taken', sa.String(length=16), server_default='', nullable=False),
    sa.Column('invited', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('leaver_id', sa.String(length=36), nullable=True),
    sa.ForeignKeyConstraint(['organization_id', 'connection_id'], ['scim_connection.organization_id', 'scim_connection.id'], name=op.f('fk_scim_user_organization_id_connection_id_scim_connection'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_scim_user'))
    )
    with op.batch_alter_table('scim_user', schema=None) as batch_op:
        batch_op.create_index('ix_scim_user_by_account', ['organization_id', 'account_id'], unique=False)
        batch_op.create_index('ix_scim_user_by_external_id', ['organization_id', 'connection_id', 'external_id'], unique=False)
        batch_op.create_index('ix_scim_user_by_time', ['organization_id', 'connection_id', 'created_at', 'id'], unique=False)
        batch_op.create_index('ix_scim_user_dirty', ['organization_id', 'connection_id', 'dirty_at'], unique=False)
        batch_op.create_index('uq_scim_user_name', ['organization_id', 'connection_id', 'user_name_key'], unique=True, sqlite_where=sa.text('deleted_at IS NULL'), postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_table('scim_member',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('group_id', sa.String(length=36), nullable=False),
    sa.Column('user_id', sa.String(length=36), nullable=False),
    sa.Column('display', sa.String(length=255), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['organization_id', 'group_id'], ['scim_group.organization_id', 'scim_group.id'], name=op.f('fk_scim_member_organization_id_group_id_scim_group'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id', 'user_id'], ['scim_user.organization_id', 'scim_user.id'], name=op.f('fk_scim_member_organization_id_user_id_scim_user'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'group_id', 'user_id', name=op.f('pk_scim_member'))
    )
    with op.batch_alter_table('scim_member', schema=None) as batch_op:
        batch_op.create_index('ix_scim_member_by_user', ['organization_id', 'user_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('scim_member', schema=None) as batch_op:
        batch_op.drop_index('ix_scim_member_by_user')
    op.drop_table('scim_member')
    with op.batch_alter_table('scim_user', schema=None) as batch_op:
        batch_op.drop_index('uq_scim_user_name', sqlite_where=sa.text('deleted_at IS NULL'), postgresql_where=sa.text('deleted_at IS NULL'))
        batch_op.drop_index('ix_scim_user_dirty')
        batch_op.drop_index('ix_scim_user_by_time')
        batch_op.drop_index('ix_scim_user_by_external_id')
        batch_op.drop_index('ix_scim_user_by_account')
    op.drop_table('scim_user')
    with op.batch_alter_table('scim_group', schema=None) as batch_op:
        batch_op.drop_index('uq_scim_group_name')
        batch_op.drop_index('ix_scim_group_by_time')
    op.drop_table('scim_group')
    with op.batch_alter_table('scim_connection', schema=None) as batch_op:
        batch_op.drop_index('ix_scim_connection_due')
    op.drop_table('scim_connection')
