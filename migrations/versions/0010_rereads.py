"""rereads"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('reread',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('newcomer', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('attempt', sa.Integer(), server_default='0', nullable=False),
    sa.Column('troubles', sa.Integer(), server_default='0', nullable=False),
    sa.Column('resume_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_reread_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_reread')),
    sa.UniqueConstraint('organization_id', 'account_id', name=op.f('uq_reread_organization_id_account_id'))
    )
    op.create_index('ix_reread_due', 'reread', ['resume_at'])
    op.create_table('access_rule_news',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('rule_id', sa.String(length=36), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('second', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id', 'rule_id'], ['access_rule.organization_id', 'access_rule.id'], name=op.f('fk_access_rule_news_organization_id_rule_id_access_rule'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'rule_id', 'account_id', name=op.f('pk_access_rule_news'))
    )


def downgrade() -> None:
    op.drop_table('access_rule_news')
    op.drop_table('reread')
