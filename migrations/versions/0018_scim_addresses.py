"""the addresses of an identity provider's people are rows, found by an index"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

_USERS = sa.table(
    'scim_user',
    sa.column('organization_id', sa.String),
    sa.column('id', sa.String),
    sa.column('emails_key', sa.String),
    sa.column('typed_emails_key', sa.String),
)


def upgrade() -> None:
    addresses = op.create_table('scim_address',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('user_id', sa.String(length=36), nullable=False),
    sa.Column('kind', sa.String(length=100), nullable=False),
    sa.Column('address', sa.String(length=400), nullable=False),
    sa.ForeignKeyConstraint(['organization_id', 'user_id'], ['scim_user.organization_id', 'scim_user.id'], name=op.f('fk_scim_address_organization_id_scim_user'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'user_id', 'kind', 'address', name=op.f('pk_scim_address'))
    )
    found = op.get_bind().execute(sa.select(_USERS).where(_USERS.c.emails_key != '')).yield_per(1000)
    for users in found.partitions():
        rows = [
            {'organization_id': user.organization_id, 'user_id': user.id, 'kind': kind[:100], 'address': address[:400]}
            for user in users
            for kind, address in _addresses(user.emails_key, user.typed_emails_key)
        ]
        if rows:
            op.bulk_insert(addresses, rows)
    with op.batch_alter_table('scim_address', schema=None) as batch_op:
        batch_op.create_index('ix_scim_address', ['organization_id', 'address', 'kind', 'user_id'], unique=False)

    with op.batch_alter_table('scim_user', schema=None) as batch_op:
        batch_op.drop_column('typed_emails_key')
        batch_op.drop_column('emails_key')


def _addresses(plain: str, typed: str) -> set[tuple[str, str]]:
    """Each address by its type, or by "" where it has none."""
    found = {tuple(line.split(' ', 1)) for line in typed.split('\n') if ' ' in line}
    of_a_kind = {address for _, address in found}
    return found | {('', line) for line in plain.split('\n') if line and line not in of_a_kind}


def downgrade() -> None:
    with op.batch_alter_table('scim_user', schema=None) as batch_op:
        batch_op.add_column(sa.Column('emails_key', sa.String(length=4000), server_default='', nullable=False))
        batch_op.add_column(sa.Column('typed_emails_key', sa.String(length=4000), server_default='', nullable=False))
    addresses = sa.table('scim_address', *(sa.column(name, sa.String) for name in ('organization_id', 'user_id', 'kind', 'address')))
    kept = {}
    for row in op.get_bind().execute(sa.select(addresses)):
        kept.setdefault((row.organization_id, row.user_id), []).append((row.kind, row.address))
    for (organization_id, user_id), theirs in kept.items():
        plain = ''.join(f'{address}\n' for _, address in sorted(theirs))
        typed = ''.join(f'{kind} {address}\n' for kind, address in sorted(theirs) if kind)
        op.execute(
            sa.update(_USERS)
            .where(_USERS.c.organization_id == organization_id, _USERS.c.id == user_id)
            .values(emails_key=f'\n{plain}', typed_emails_key=f'\n{typed}' if typed else '')
        )
    op.drop_table('scim_address')
