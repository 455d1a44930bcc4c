"""a sign of life is of one product on one site, not of all of its family"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('signal', schema=None) as batch_op:
        batch_op.alter_column('family', new_column_name='place', existing_type=sa.String(length=100), type_=sa.String(length=255), existing_nullable=False)


def downgrade() -> None:
    # What is known by a product is none of a family.
    op.execute("DELETE FROM signal WHERE place LIKE 'ari:%' OR length(place) > 100")
    with op.batch_alter_table('signal', schema=None) as batch_op:
        batch_op.alter_column('place', new_column_name='family', existing_type=sa.String(length=255), type_=sa.String(length=100), existing_nullable=False)
