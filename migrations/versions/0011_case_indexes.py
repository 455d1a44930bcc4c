"""indexes of cases: by kind and by name, and nothing for cases of which nothing is due"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

DUE = sa.text('resume_at IS NOT NULL')


def upgrade() -> None:
    with op.batch_alter_table('run_case', schema=None) as batch_op:
        batch_op.drop_index('ix_case_by_run')
        batch_op.drop_index('ix_case_open')
        batch_op.drop_index('ix_case_due')
        batch_op.create_index('ix_case_by_kind', ['organization_id', 'run_id', 'state', 'deed', 'why', 'came_back_at'], unique=False)
        batch_op.create_index('ix_case_by_name', ['organization_id', 'run_id', 'name', 'id'], unique=False)
        batch_op.create_index('ix_case_due', ['state', 'resume_at'], unique=False, sqlite_where=DUE, postgresql_where=DUE)


def downgrade() -> None:
    with op.batch_alter_table('run_case', schema=None) as batch_op:
        batch_op.drop_index('ix_case_due')
        batch_op.drop_index('ix_case_by_name')
        batch_op.drop_index('ix_case_by_kind')
        batch_op.create_index('ix_case_due', ['state', 'resume_at'], unique=False)
        batch_op.create_index('ix_case_open', ['organization_id', 'state', 'account_id'], unique=False)
        batch_op.create_index('ix_case_by_run', ['organization_id', 'run_id', 'state', 'name'], unique=False)
