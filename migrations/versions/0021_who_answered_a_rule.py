"""who answered a rule is found without reading all cases there ever were"""

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

ANSWERED = sa.text('kept_at IS NOT NULL')


def upgrade() -> None:
    op.create_index('ix_case_kept', 'run_case', ['organization_id', 'run_id', 'kept_at'], sqlite_where=ANSWERED, postgresql_where=ANSWERED)


def downgrade() -> None:
    op.drop_index('ix_case_kept', table_name='run_case')
