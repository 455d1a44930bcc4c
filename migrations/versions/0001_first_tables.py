"""first tables"""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('audit_entry',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('organization_id', sa.String(length=100), nullable=True),
    sa.Column('client_key', sa.String(length=255), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('event', sa.String(length=40), nullable=False),
    sa.Column('actor', sa.String(length=128), nullable=False),
    sa.Column('subject', sa.String(length=128), nullable=True),
    sa.Column('run_id', sa.String(length=36), nullable=True),
    sa.Column('result', sa.String(length=500), nullable=False),
    sa.Column('details', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry'))
    )
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.create_index('ix_audit_by_organization', ['organization_id', 'id'], unique=False)
        batch_op.create_index('ix_audit_by_subject', ['organization_id', 'subject', 'id'], unique=False)
        batch_op.create_index('ix_audit_by_tenant', ['client_key', 'id'], unique=False)

    op.create_table('lifecycle_token',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('body_hash', sa.String(length=64), nullable=False),
    sa.Column('client_key', sa.String(length=255), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_lifecycle_token'))
    )
    with op.batch_alter_table('lifecycle_token', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_lifecycle_token_expires_at'), ['expires_at'], unique=False)

    op.create_table('organization',
    sa.Column('id', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('doorless_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('paused_until', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organization'))
    )
    op.create_table('worker',
    sa.Column('slot', sa.String(length=40), nullable=False),
    sa.Column('beat_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('slot', name=op.f('pk_worker'))
    )
    op.create_table('directory_group',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('group_id', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_directory_group_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'group_id', name=op.f('pk_directory_group'))
    )
    op.create_table('group_grant',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('group_id', sa.String(length=100), nullable=False),
    sa.Column('resource_id', sa.String(length=255), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_group_grant_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'group_id', 'resource_id', name=op.f('pk_group_grant'))
    )
    op.create_table('operator',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('reason', sa.String(length=16), nullable=False),
    sa.Column('named_by', sa.String(length=128), nullable=False),
    sa.Column('named_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_operator_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'account_id', name=op.f('pk_operator'))
    )
    op.create_table('person',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('directory_id', sa.String(length=100), nullable=False),
    sa.Column('in_several_directories', sa.Boolean(), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('search_text', sa.String(length=800), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=True),
    sa.Column('email_domain', sa.String(length=255), nullable=False),
    sa.Column('account_type', sa.String(length=32), nullable=False),
    sa.Column('account_status', sa.String(length=32), nullable=False),
    sa.Column('membership_status', sa.String(length=32), nullable=False),
    sa.Column('status', sa.String(length=32), nullable=False),
    sa.Column('claim_status', sa.String(length=32), nullable=False),
    sa.Column('management_source', sa.String(length=32), nullable=False),
    sa.Column('is_org_admin', sa.Boolean(), nullable=False),
    sa.Column('is_bot', sa.Boolean(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('activity', sa.String(length=16), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('seen_in', sa.String(length=100), nullable=False),
    sa.Column('seat_count', sa.Integer(), nullable=False),
    sa.Column('sync_id', sa.String(length=36), nullable=False),
    sa.Column('synced_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('left_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_person_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'account_id', name=op.f('pk_person'))
    )
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.create_index('ix_person_by_added', ['organization_id', 'added_at', 'account_id', 'left_at'], unique=False, sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
        batch_op.create_index('ix_person_by_claim', ['organization_id', 'claim_status', 'management_source', 'left_at'], unique=False, sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
        batch_op.create_index('ix_person_by_domain', ['organization_id', 'email_domain', 'management_source', 'left_at'], unique=False, sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
        batch_op.create_index('ix_person_by_email', ['organization_id', 'email', 'account_id', 'left_at'], unique=False, sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
        batch_op.create_index('ix_person_by_name', ['organization_id', 'name', 'account_id', 'search_text', 'left_at'], unique=False, sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
        batch_op.create_index('ix_person_by_seen', ['organization_id', 'seen_at', 'account_id', 'status', 'left_at'], unique=False, sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
        batch_op.create_index('ix_person_by_status', ['organization_id', 'status', 'account_id', 'seen_at', 'left_at'], unique=False, sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
        batch_op.create_index('ix_person_by_sync', ['organization_id', 'sync_id'], unique=False)

    op.create_table('run',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('deed', sa.String(length=16), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('undoes', sa.String(length=36), nullable=True),
    sa.Column('requested_by', sa.String(length=128), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_by', sa.String(length=128), nullable=True),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('stopped_by', sa.String(length=128), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_run_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_run'))
    )
    with op.batch_alter_table('run', schema=None) as batch_op:
        batch_op.create_index('ix_run_by_state', ['state'], unique=False)
        batch_op.create_index('ix_run_by_time', ['organization_id', 'created_at'], unique=False)

    op.create_table('seats',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('resource_id', sa.String(length=255), nullable=False),
    sa.Column('key', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('host_url', sa.String(length=500), nullable=False),
    sa.Column('capacity', sa.Integer(), nullable=True),
    sa.Column('usage', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_seats_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'resource_id', name=op.f('pk_seats'))
    )
    op.create_table('signal',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('family', sa.String(length=100), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_signal_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'account_id', 'family', name=op.f('pk_signal'))
    )
    op.create_table('summary',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('counted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('numbers', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_summary_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', name=op.f('pk_summary'))
    )
    op.create_table('sync',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('requested_by', sa.String(length=128), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('resume_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('directory_ids', sa.String(length=2000), nullable=False),
    sa.Column('directory_index', sa.Integer(), nullable=False),
    sa.Column('cursor', sa.String(length=2000), nullable=True),
    sa.Column('pages', sa.Integer(), nullable=False),
    sa.Column('people', sa.Integer(), nullable=False),
    sa.Column('expected', sa.Integer(), nullable=True),
    sa.Column('api_seconds', sa.Double(), nullable=False),
    sa.Column('problem', sa.String(length=500), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_sync_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sync'))
    )
    with op.batch_alter_table('sync', schema=None) as batch_op:
        batch_op.create_index('ix_sync_by_start', ['organization_id', 'started_at'], unique=False)
        batch_op.create_index('uq_sync_running', ['organization_id'], unique=True, sqlite_where=sa.text("state = 'running'"), postgresql_where=sa.text("state = 'running'"))

    op.create_table('tenant',
    sa.Column('client_key', sa.String(length=255), nullable=False),
    sa.Column('product', sa.String(length=16), nullable=False),
    sa.Column('base_url', sa.String(length=500), nullable=False),
    sa.Column('display_url', sa.String(length=500), nullable=False),
    sa.Column('description', sa.String(length=500), nullable=False),
    sa.Column('shared_secret_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('oauth_client_id', sa.String(length=255), nullable=True),
    sa.Column('installation_id', sa.String(length=255), nullable=True),
    sa.Column('entitlement_id', sa.String(length=255), nullable=True),
    sa.Column('organization_id', sa.String(length=100), nullable=True),
    sa.Column('installed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('uninstalled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('unreachable_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_lifecycle_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_tenant_organization_id_organization')),
    sa.PrimaryKeyConstraint('client_key', name=op.f('pk_tenant')),
    sa.UniqueConstraint('installation_id', name=op.f('uq_tenant_installation_id'))
    )
    with op.batch_alter_table('tenant', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tenant_organization_id'), ['organization_id'], unique=False)

    op.create_table('credential',
    sa.Column('client_key', sa.String(length=255), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('last_four', sa.String(length=4), nullable=False),
    sa.Column('email_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('owner_account_id', sa.String(length=128), nullable=True),
    sa.Column('stored_by', sa.String(length=128), nullable=False),
    sa.Column('stored_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('check_result', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['client_key'], ['tenant.client_key'], name=op.f('fk_credential_client_key_tenant'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('client_key', 'kind', name=op.f('pk_credential'))
    )
    op.create_table('membership',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('group_id', sa.String(length=100), nullable=False),
    sa.ForeignKeyConstraint(['organization_id', 'account_id'], ['person.organization_id', 'person.account_id'], name=op.f('fk_membership_organization_id_account_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'account_id', 'group_id', name=op.f('pk_membership'))
    )
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.create_index('ix_membership_by_group', ['organization_id', 'group_id', 'account_id'], unique=False)

    op.create_table('run_case',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('run_id', sa.String(length=36), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('directory_id', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('undoes', sa.String(length=36), nullable=True),
    sa.Column('earlier', sa.JSON(), nullable=True),
    sa.Column('left_as', sa.String(length=32), nullable=True),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('troubles', sa.Integer(), nullable=False),
    sa.Column('acting_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('resume_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id', 'run_id'], ['run.organization_id', 'run.id'], name=op.f('fk_run_case_organization_id_run_id_run'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_run_case')),
    sa.UniqueConstraint('organization_id', 'run_id', 'account_id', name=op.f('uq_run_case_organization_id_run_id_account_id'))
    )
    with op.batch_alter_table('run_case', schema=None) as batch_op:
        batch_op.create_index('ix_case_by_person', ['organization_id', 'account_id'], unique=False)
        batch_op.create_index('ix_case_by_run', ['organization_id', 'run_id', 'state', 'name'], unique=False)
        batch_op.create_index('ix_case_due', ['state', 'resume_at'], unique=False)
        batch_op.create_index('uq_case_acting', ['organization_id', 'account_id'], unique=True, sqlite_where=sa.text("state = 'acting'"), postgresql_where=sa.text("state = 'acting'"))

    op.create_table('seat',
    sa.Column('organization_id', sa.String(length=100), nullable=False),
    sa.Column('account_id', sa.String(length=128), nullable=False),
    sa.Column('resource_id', sa.String(length=255), nullable=False),
    sa.Column('product_key', sa.String(length=100), nullable=False),
    sa.Column('activity', sa.String(length=16), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id', 'account_id'], ['person.organization_id', 'person.account_id'], name=op.f('fk_seat_organization_id_account_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'account_id', 'resource_id', name=op.f('pk_seat'))
    )
    with op.batch_alter_table('seat', schema=None) as batch_op:
        batch_op.create_index('ix_seat_by_product', ['organization_id', 'product_key', 'activity', 'seen_at', 'account_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('seat', schema=None) as batch_op:
        batch_op.drop_index('ix_seat_by_product')

    op.drop_table('seat')
    with op.batch_alter_table('run_case', schema=None) as batch_op:
        batch_op.drop_index('uq_case_acting', sqlite_where=sa.text("state = 'acting'"), postgresql_where=sa.text("state = 'acting'"))
        batch_op.drop_index('ix_case_due')
        batch_op.drop_index('ix_case_by_run')
        batch_op.drop_index('ix_case_by_person')

    op.drop_table('run_case')
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.drop_index('ix_membership_by_group')

    op.drop_table('membership')
    op.drop_table('credential')
    with op.batch_alter_table('tenant', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tenant_organization_id'))

    op.drop_table('tenant')
    with op.batch_alter_table('sync', schema=None) as batch_op:
        batch_op.drop_index('uq_sync_running', sqlite_where=sa.text("state = 'running'"), postgresql_where=sa.text("state = 'running'"))
        batch_op.drop_index('ix_sync_by_start')

    op.drop_table('sync')
    op.drop_table('summary')
    op.drop_table('signal')
    op.drop_table('seats')
    with op.batch_alter_table('run', schema=None) as batch_op:
        batch_op.drop_index('ix_run_by_time')
        batch_op.drop_index('ix_run_by_state')

    op.drop_table('run')
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_index('ix_person_by_sync')
        batch_op.drop_index('ix_person_by_status', sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
        batch_op.drop_index('ix_person_by_seen', sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
        batch_op.drop_index('ix_person_by_name', sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
        batch_op.drop_index('ix_person_by_email', sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
        batch_op.drop_index('ix_person_by_domain', sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
        batch_op.drop_index('ix_person_by_claim', sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))
        batch_op.drop_index('ix_person_by_added', sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))

    op.drop_table('person')
    op.drop_table('operator')
    op.drop_table('group_grant')
    op.drop_table('directory_group')
    op.drop_table('worker')
    op.drop_table('organization')
    with op.batch_alter_table('lifecycle_token', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_lifecycle_token_expires_at'))

    op.drop_table('lifecycle_token')
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_by_tenant')
        batch_op.drop_index('ix_audit_by_subject')
        batch_op.drop_index('ix_audit_by_organization')

    op.drop_table('audit_entry')
