"""people indexes: empty values first, so that PostgreSQL sorts by them as the list does; SQLite has them first anyway"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

PRESENT = sa.text('left_at IS NULL')
COLUMNS = {
    'ix_person_by_seen': ['organization_id', 'seen_at', 'account_id', 'status', 'left_at'],
    'ix_person_by_email': ['organization_id', 'email', 'account_id', 'left_at'],
    'ix_person_by_added': ['organization_id', 'added_at', 'account_id', 'left_at'],
}


def upgrade() -> None:
    _make_again(' NULLS FIRST')


def downgrade() -> None:
    _make_again('')


def _make_again(where_empty: str) -> None:
    if op.get_bind().dialect.name != 'postgresql':
        return
    for name, (organization, sorted_by, *rest) in COLUMNS.items():
        op.drop_index(name, table_name='person')
        columns = [organization, sa.text(sorted_by + where_empty), *rest]
        op.create_index(name, 'person', columns, postgresql_where=PRESENT)
