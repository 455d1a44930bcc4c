"""since when a seat is there, and who was met in several directories by one sync"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('seat', sa.Column('since', sa.DateTime(timezone=True), nullable=True))
    op.add_column('person', sa.Column('met_in_several', sa.Boolean(), server_default=sa.false(), nullable=False))
    for table in ('seat', 'membership'):
        op.add_column(table, sa.Column('shown_by', sa.String(length=36), server_default='', nullable=False))
    # A sync may be under way.
    op.execute('UPDATE person SET met_in_several = in_several_directories WHERE in_several_directories')


def downgrade() -> None:
    for table in ('membership', 'seat'):
        op.drop_column(table, 'shown_by')
    op.drop_column('person', 'met_in_several')
    op.drop_column('seat', 'since')
