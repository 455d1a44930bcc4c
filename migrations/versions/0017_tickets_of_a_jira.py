"""a ticket's number counts in the Jira that it was sent from"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('ticket_call', schema=None) as batch_op:
        batch_op.add_column(sa.Column('client_key', sa.String(length=255), server_default='', nullable=False))
        batch_op.drop_constraint(batch_op.f('uq_ticket_call_organization_id_rule_id_issue_id'), type_='unique')
        batch_op.create_unique_constraint(batch_op.f('uq_ticket_call_organization_id_rule_id_client_key_issue_id'), ['organization_id', 'rule_id', 'client_key', 'issue_id'])
    op.execute(
        'UPDATE ticket_call SET client_key = (SELECT ticket_rule.client_key FROM ticket_rule'
        ' WHERE ticket_rule.organization_id = ticket_call.organization_id AND ticket_rule.id = ticket_call.rule_id)'
    )


def downgrade() -> None:
    with op.batch_alter_table('ticket_call', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_ticket_call_organization_id_rule_id_client_key_issue_id'), type_='unique')
        batch_op.create_unique_constraint(batch_op.f('uq_ticket_call_organization_id_rule_id_issue_id'), ['organization_id', 'rule_id', 'issue_id'])
        batch_op.drop_column('client_key')
