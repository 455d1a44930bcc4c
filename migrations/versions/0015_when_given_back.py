"""when somebody was given back what had been taken from them

What we gave back before is among the cases.
"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.add_column(sa.Column('given_back_at', sa.DateTime(timezone=True), nullable=True))
    op.execute(
        'UPDATE person SET given_back_at = ('
        ' SELECT max(run_case.finished_at) FROM run_case'
        ' WHERE run_case.organization_id = person.organization_id AND run_case.account_id = person.account_id'
        " AND run_case.state = 'acted' AND run_case.deed IN ('restore', 'reactivate'))"
    )


def downgrade() -> None:
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_column('given_back_at')
