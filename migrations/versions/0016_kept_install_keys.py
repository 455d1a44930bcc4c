"""install keys that a new process knows"""

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


def downgrade() -> None:
    op.drop_table('install_key')
