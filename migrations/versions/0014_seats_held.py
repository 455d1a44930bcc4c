"""how many hold a seat, counted once by each sync"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('seats', schema=None) as batch_op:
        batch_op.add_column(sa.Column('held', sa.Integer(), nullable=True))
    # Until the next sync, a cap on seats goes by this number: without it, every seat would look free.
    op.execute(
        """
        UPDATE seats SET held = (
            SELECT count(*) FROM seat
            JOIN person ON person.organization_id = seat.organization_id AND person.account_id = seat.account_id
            WHERE seat.organization_id = seats.organization_id AND seat.resource_id = seats.resource_id
            AND person.status = 'active' AND person.left_at IS NULL
        )
        """
    )


def downgrade() -> None:
    with op.batch_alter_table('seats', schema=None) as batch_op:
        batch_op.drop_column('held')
