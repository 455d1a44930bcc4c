"""rules"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('product_admin',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('resource_id', sa.String(length=255), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_product_admin_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'resource_id', 'account_id', name=op.f('pk_product_admin'))
    )
    op.create_table('protected',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('value', sa.String(length=255), nullable=False),
    sa.Column('label', sa.String(length=255), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('added_by', sa.String(length=128), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_protected_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_protected')),
    sa.UniqueConstraint('organization_id', 'kind', 'value', name=op.f('uq_protected_organization_id_kind_value'))
    )
    op.create_table('rule',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('is_on', sa.Boolean(), nullable=False),
    sa.Column('next_run_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_by', sa.String(length=128), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_rule_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_rule'))
    )
    with op.batch_alter_table('rule', schema=None) as batch_op:
        batch_op.create_index('ix_rule_due', ['next_run_at'], unique=False)
        batch_op.create_index('uq_rule_name', ['organization_id', 'name'], unique=True, sqlite_where=sa.text('deleted_at IS NULL'), postgresql_where=sa.text('deleted_at IS NULL'))

    op.create_table('absence',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('case_id', sa.String(length=36), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('reason', sa.String(length=100), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.Column('comes_back', sa.Boolean(), nullable=False),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id', 'account_id'], ['person.organization_id', 'person.account_id'], name=op.f('fk_absence_organization_id_account_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'case_id', name=op.f('pk_absence'))
    )
    with op.batch_alter_table('absence', schema=None) as batch_op:
        batch_op.create_index('ix_absence_by_end', ['ends_on', 'ended_at'], unique=False)
        batch_op.create_index('ix_absence_by_person', ['organization_id', 'account_id', 'ended_at'], unique=False)

    op.create_table('last_day',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('set_by', sa.String(length=128), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id', 'account_id'], ['person.organization_id', 'person.account_id'], name=op.f('fk_last_day_organization_id_account_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'account_id', name=op.f('pk_last_day'))
    )
    op.create_table('rule_version',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('rule_id', sa.String(length=36), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('definition', sa.JSON(), nullable=False),
    sa.Column('created_by', sa.String(length=128), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_by', sa.String(length=128), nullable=True),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('confirmed_by', sa.String(length=128), nullable=True),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id', 'rule_id'], ['rule.organization_id', 'rule.id'], name=op.f('fk_rule_version_organization_id_rule_id_rule'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'rule_id', 'version', name=op.f('pk_rule_version'))
    )
    op.create_table('notice',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('case_id', sa.String(length=36), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('ordinal', sa.Integer(), nullable=False),
    sa.Column('deed', sa.String(length=16), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id', 'case_id'], ['run_case.organization_id', 'run_case.id'], name=op.f('fk_notice_organization_id_case_id_run_case'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_notice')),
    sa.UniqueConstraint('organization_id', 'case_id', 'ordinal', name=op.f('uq_notice_organization_id_case_id_ordinal'))
    )
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.create_index('ix_notice_by_person', ['organization_id', 'account_id', 'created_at'], unique=False)

    with op.batch_alter_table('directory_group', schema=None) as batch_op:
        batch_op.add_column(sa.Column('synced', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('modifiable', sa.Boolean(), server_default=sa.true(), nullable=False))

    with op.batch_alter_table('organization', schema=None) as batch_op:
        batch_op.add_column(sa.Column('time_zone', sa.String(length=64), server_default='UTC', nullable=False))
        batch_op.add_column(sa.Column('billing_day', sa.Integer(), nullable=True))

    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.add_column(sa.Column('email_verified', sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column('status_since', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('refusal', sa.String(length=300), server_default='', nullable=False))
        batch_op.add_column(sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('run', schema=None) as batch_op:
        batch_op.add_column(sa.Column('rule_id', sa.String(length=36), nullable=True))
        batch_op.add_column(sa.Column('rule_version', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('mode', sa.String(length=16), server_default='', nullable=False))
        batch_op.add_column(sa.Column('reason', sa.String(length=500), server_default='', nullable=False))
        batch_op.add_column(sa.Column('scope', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('new', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('gone', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('seats', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('seen_by', sa.String(length=128), nullable=True))
        batch_op.add_column(sa.Column('purpose', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('ask_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.alter_column('deed',
               existing_type=sa.VARCHAR(length=16),
               nullable=True)
        batch_op.create_index('ix_run_to_ask', ['ask_at'], unique=False)
        batch_op.create_index('ix_run_by_rule', ['organization_id', 'rule_id', 'created_at'], unique=False)

    with op.batch_alter_table('run_case', schema=None) as batch_op:
        batch_op.add_column(sa.Column('deed', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('step', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('why', sa.String(length=16), server_default='', nullable=False))
        batch_op.add_column(sa.Column('because', sa.String(length=300), server_default='', nullable=False))
        batch_op.add_column(sa.Column('groups', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('is_new', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('changes', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('changed', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('warnings', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('due_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('kept_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('approved_by', sa.String(length=128), nullable=True))
        batch_op.add_column(sa.Column('note', sa.String(length=500), server_default='', nullable=False))
        batch_op.add_column(sa.Column('came_back_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index('ix_case_open', ['organization_id', 'state', 'account_id'], unique=False)

    _carry_over()
    with op.batch_alter_table('run_case', schema=None) as batch_op:
        batch_op.alter_column('deed', existing_type=sa.String(length=16), nullable=False)
        batch_op.drop_column('left_as')

    with op.batch_alter_table('seats', schema=None) as batch_op:
        batch_op.add_column(sa.Column('owner_account_id', sa.String(length=128), nullable=True))



def _carry_over() -> None:
    # Until now a run had one deed for everybody, and what it had left behind stood in `left_as`.
    run, case = sa.table('run', *map(sa.column, ('organization_id', 'id', 'deed'))), sa.table(
        'run_case',
        *map(sa.column, ('organization_id', 'run_id', 'deed', 'state', 'left_as')),
        sa.column('changed', sa.Boolean()),
        sa.column('changes', sa.JSON()),
    )
    deed = sa.select(run.c.deed).where(run.c.organization_id == case.c.organization_id, run.c.id == case.c.run_id)
    op.execute(case.update().values(deed=deed.scalar_subquery()))
    for kind, left_as in (('suspend', 'suspended'), ('restore', 'active')):
        landed = case.update().where(case.c.left_as == left_as, case.c.deed == kind)
        op.execute(landed.values(changed=True, changes=[[kind, '', '', True]]))


def _carry_back() -> None:
    # A run with several deeds had no place before: the old program shows it as a suspension.
    run = sa.table('run', sa.column('deed'))
    op.execute(run.update().where(run.c.deed.is_(None)).values(deed='suspend'))
    case = sa.table('run_case', sa.column('deed'), sa.column('left_as'), sa.column('changed', sa.Boolean()))
    for kind, left_as in (('suspend', 'suspended'), ('restore', 'active')):
        op.execute(case.update().where(case.c.deed == kind, case.c.changed).values(left_as=left_as))


def downgrade() -> None:
    with op.batch_alter_table('seats', schema=None) as batch_op:
        batch_op.drop_column('owner_account_id')

    with op.batch_alter_table('run_case', schema=None) as batch_op:
        batch_op.add_column(sa.Column('left_as', sa.VARCHAR(length=32), nullable=True))
    _carry_back()
    with op.batch_alter_table('run_case', schema=None) as batch_op:
        batch_op.drop_index('ix_case_open')
        batch_op.drop_column('came_back_at')
        batch_op.drop_column('note')
        batch_op.drop_column('approved_by')
        batch_op.drop_column('kept_at')
        batch_op.drop_column('due_at')
        batch_op.drop_column('warnings')
        batch_op.drop_column('changed')
        batch_op.drop_column('changes')
        batch_op.drop_column('is_new')
        batch_op.drop_column('groups')
        batch_op.drop_column('because')
        batch_op.drop_column('why')
        batch_op.drop_column('step')
        batch_op.drop_column('deed')

    with op.batch_alter_table('run', schema=None) as batch_op:
        batch_op.drop_index('ix_run_by_rule')
        batch_op.drop_index('ix_run_to_ask')
        batch_op.alter_column('deed',
               existing_type=sa.VARCHAR(length=16),
               nullable=False)
        batch_op.drop_column('ask_at')
        batch_op.drop_column('purpose')
        batch_op.drop_column('seen_by')
        batch_op.drop_column('seats')
        batch_op.drop_column('gone')
        batch_op.drop_column('new')
        batch_op.drop_column('scope')
        batch_op.drop_column('reason')
        batch_op.drop_column('mode')
        batch_op.drop_column('rule_version')
        batch_op.drop_column('rule_id')

    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_column('asked_at')
        batch_op.drop_column('refusal')
        batch_op.drop_column('status_since')
        batch_op.drop_column('email_verified')

    with op.batch_alter_table('organization', schema=None) as batch_op:
        batch_op.drop_column('billing_day')
        batch_op.drop_column('time_zone')

    with op.batch_alter_table('directory_group', schema=None) as batch_op:
        batch_op.drop_column('modifiable')
        batch_op.drop_column('synced')

    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_index('ix_notice_by_person')

    op.drop_table('notice')
    op.drop_table('rule_version')
    op.drop_table('last_day')
    with op.batch_alter_table('absence', schema=None) as batch_op:
        batch_op.drop_index('ix_absence_by_person')
        batch_op.drop_index('ix_absence_by_end')

    op.drop_table('absence')
    with op.batch_alter_table('rule', schema=None) as batch_op:
        batch_op.drop_index('uq_rule_name', sqlite_where=sa.text('deleted_at IS NULL'), postgresql_where=sa.text('deleted_at IS NULL'))
        batch_op.drop_index('ix_rule_due')

    op.drop_table('rule')
    op.drop_table('protected')
    op.drop_table('product_admin')
