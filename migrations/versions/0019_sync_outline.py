"""what a sync read before it had to wait is not read again"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('sync', schema=None) as batch_op:
        batch_op.add_column(sa.Column('outline', sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('sync', schema=None) as batch_op:
        batch_op.drop_column('outline')
