"""who came back, without looking at every case"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('run_case', schema=None) as batch_op:
        batch_op.create_index('ix_case_came_back', ['organization_id', 'came_back_at'], unique=False, sqlite_where=sa.text('came_back_at IS NOT NULL'), postgresql_where=sa.text('came_back_at IS NOT NULL'))


def downgrade() -> None:
    with op.batch_alter_table('run_case', schema=None) as batch_op:
        batch_op.drop_index('ix_case_came_back', sqlite_where=sa.text('came_back_at IS NOT NULL'), postgresql_where=sa.text('came_back_at IS NOT NULL'))
