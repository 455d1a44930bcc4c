"""an organization that is being forgotten is marked; what a group gave that a provider deleted is known"""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('organization', schema=None) as batch_op:
        batch_op.add_column(sa.Column('forgotten_since', sa.DateTime(timezone=True), nullable=True))
    op.create_table('scim_former_group',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('connection_id', sa.String(length=36), nullable=False),
    sa.Column('display_name_key', sa.String(length=400), nullable=False),
    sa.Column('external_id', sa.String(length=255), nullable=False),
    sa.Column('profile_id', sa.String(length=36), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id', 'connection_id'], ['scim_connection.organization_id', 'scim_connection.id'], name=op.f('fk_scim_former_group_organization_id_scim_connection'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'connection_id', 'display_name_key', name=op.f('pk_scim_former_group'))
    )


def downgrade() -> None:
    op.drop_table('scim_former_group')
    with op.batch_alter_table('organization', schema=None) as batch_op:
        batch_op.drop_column('forgotten_since')
