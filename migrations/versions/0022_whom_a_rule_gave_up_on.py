"""whom an access rule gave up on is found without reading all that rules have ever given"""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

STOPPED = sa.text('stopped_at IS NOT NULL')


def upgrade() -> None:
    op.create_index('ix_access_given_stopped', 'access_given', ['organization_id', 'rule_id', 'stopped_at'], sqlite_where=STOPPED, postgresql_where=STOPPED)


def downgrade() -> None:
    op.drop_index('ix_access_given_stopped', table_name='access_given')
