//! Applications, SAML connections and their keys.

use std::collections::BTreeMap;

use domain::application::{Application, ApplicationSettings, Pages, RefreshDelivery};
use domain::email::EmailDomain;
use domain::portal::Portal;
use domain::role::{Role, RoleSet};
use domain::sso::connection::{ConnectionSettings, PinnedCertificate, SamlConnection, SsoMode};
use domain::sso::sp_key::SpKeyRecord;
use domain::{ApplicationId, SpKeyId};
use storage::applications::ApplicationFilter;
use storage::{Page, StorageError, Unique, applications, connections, sp_keys};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{Tenant, application, at, connection, fresh, origin, redirect_uri, stored_account, tenant};

fn full_settings() -> ApplicationSettings {
    ApplicationSettings {
        allowed_origins: vec![origin("https://app.example.com"), origin("http://localhost:3000")],
        initiate_login_uri: Some(redirect_uri()),
        refresh_delivery: RefreshDelivery::Cookie,
        pages: Pages::default(),
        ..application(None).settings
    }
}

fn sp_key(tenant: &Tenant, millis: i64) -> SpKeyRecord {
    SpKeyRecord {
        id: SpKeyId::from_uuid(fresh()),
        account_id: tenant.account.id,
        connection_id: tenant.connection.id,
        certificate_der: vec![0x30, 0, 255],
        sealed_private_key: vec![],
        created_at: at(millis),
        retires_at: None,
    }
}

/// Proves that an application reads back by its owner and by its `client_id`, bare and full, owned and shared.
#[both_engines]
async fn an_application_reads_back(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let full = Application { settings: full_settings(), is_default: true, ..application(Some(account.id)) };
    for stored in [application(Some(account.id)), full, application(None)] {
        applications::insert(&mut tx, &stored).await.unwrap();
        let by_id = applications::by_id(&mut tx, stored.account_id, stored.id).await.unwrap();
        assert_eq!(by_id.as_ref(), Some(&stored));
        assert_eq!(applications::by_client_id(&mut tx, stored.id).await.unwrap(), Some(stored));
    }
    let nobody = ApplicationId::from_uuid(fresh());
    assert_eq!(applications::by_client_id(&mut tx, nobody).await.unwrap(), None);
}

/// Proves C8: a portal has one default application, the newest to be it, and the shared one where it has none.
#[both_engines]
async fn a_new_default_application_replaces_the_old_one(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let default = |owner| Application { is_default: true, ..application(owner) };
    let shared = default(None);
    applications::insert(&mut tx, &shared).await.unwrap();
    let found = applications::default_of(&mut tx, account.id, Portal::Admin).await.unwrap();
    assert_eq!(found.map(|found| found.id), Some(shared.id));
    let (first, second) = (default(Some(account.id)), default(Some(account.id)));
    for own in [&first, &second] {
        applications::insert(&mut tx, own).await.unwrap();
        let found = applications::default_of(&mut tx, account.id, Portal::Admin).await.unwrap();
        assert_eq!(found.map(|found| found.id), Some(own.id));
    }
    let former = applications::by_id(&mut tx, account.id, first.id).await.unwrap().unwrap();
    let again = Application { is_default: true, updated_at: at(9), ..former.clone() };
    applications::update(&mut tx, &again, former.updated_at).await.unwrap();
    let second = applications::by_id(&mut tx, account.id, second.id).await.unwrap().unwrap();
    assert_eq!((former.is_default, second.is_default, second.updated_at), (false, false, at(9)));
    assert!(applications::default_of(&mut tx, account.id, Portal::SelfService).await.unwrap().is_none());
    assert!(applications::by_id(&mut tx, None, shared.id).await.unwrap().unwrap().is_default);
}

/// Proves I2: what may call the API follows the settings of the applications.
#[both_engines]
async fn origins_follow_the_applications(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let before = Application { settings: full_settings(), ..application(Some(account.id)) };
    applications::insert(&mut tx, &before).await.unwrap();
    assert!(applications::origin_is_registered(&mut tx, "http://localhost:3000").await.unwrap());
    assert!(!applications::origin_is_registered(&mut tx, "http://localhost").await.unwrap());
    let mut after = Application { updated_at: at(2), ..before.clone() };
    after.settings.allowed_origins = vec![origin("https://new.example"), origin("https://new.example")];
    applications::update(&mut tx, &after, before.updated_at).await.unwrap();
    assert_eq!(applications::by_id(&mut tx, account.id, after.id).await.unwrap(), Some(after.clone()));
    assert!(!applications::origin_is_registered(&mut tx, "http://localhost:3000").await.unwrap());
    assert!(applications::origin_is_registered(&mut tx, "https://new.example").await.unwrap());
    let late = applications::update(&mut tx, &after, before.updated_at).await;
    assert!(matches!(late, Err(StorageError::Stale)), "{late:?}");
    assert!(applications::delete(&mut tx, account.id, after.id).await.unwrap());
    assert!(!applications::delete(&mut tx, account.id, after.id).await.unwrap());
    assert!(!applications::origin_is_registered(&mut tx, "https://new.example").await.unwrap());
}

/// Proves A5: lists hold the owner's applications alone, page by page.
#[both_engines]
async fn applications_are_listed_by_owner_and_portal(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let admin = application(Some(account.id));
    let self_service = Application { portal: Portal::SelfService, ..application(Some(account.id)) };
    let shared = application(None);
    for stored in [&admin, &self_service, &shared] {
        applications::insert(&mut tx, stored).await.unwrap();
    }
    let all = ApplicationFilter::default();
    let first = applications::list(&mut tx, account.id, &all, &Page::first(1)).await.unwrap();
    let rest = applications::list(&mut tx, account.id, &all, &Page { after: first.next, limit: 1 }).await.unwrap();
    assert_eq!((first.items, rest.items, rest.next), (vec![admin.clone()], vec![self_service], None));
    let filter = ApplicationFilter { portal: Some(Portal::Admin) };
    let of_admin = applications::list(&mut tx, account.id, &filter, &Page::first(9)).await.unwrap();
    assert_eq!(of_admin.items, [admin]);
    assert_eq!(applications::list(&mut tx, None, &filter, &Page::first(9)).await.unwrap().items, [shared]);
}

/// Proves that a connection reads back by each of its names, as it begins and with everything set.
#[both_engines]
async fn a_connection_reads_back(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let before = connection(account.id, Portal::SelfService);
    connections::insert(&mut tx, &before).await.unwrap();
    let second = connections::insert(&mut tx, &connection(account.id, Portal::SelfService)).await;
    assert!(matches!(second, Err(StorageError::Conflict(Unique::ConnectionPortal))), "{second:?}");
    let after = SamlConnection {
        mode: SsoMode::Optional,
        settings: every_setting(before.settings.clone()),
        updated_at: at(2),
        ..before.clone()
    };
    connections::update(&mut tx, &after, before.updated_at).await.unwrap();
    let late = connections::update(&mut tx, &after, before.updated_at).await;
    assert!(matches!(late, Err(StorageError::Stale)), "{late:?}");
    assert_eq!(connections::by_id(&mut tx, account.id, after.id).await.unwrap().as_ref(), Some(&after));
    assert_eq!(connections::by_sp_hash(&mut tx, &after.sp_hash).await.unwrap().as_ref(), Some(&after));
    let admin = connection(account.id, Portal::Admin);
    connections::insert(&mut tx, &admin).await.unwrap();
    assert_eq!(connections::list(&mut tx, account.id).await.unwrap(), [admin, after.clone()]);
    assert!(connections::delete(&mut tx, account.id, after.id).await.unwrap());
    assert!(!connections::delete(&mut tx, account.id, after.id).await.unwrap());
}

/// Proves C6: the newest key comes first, and a key retires once.
#[both_engines]
async fn keys_of_a_connection_are_listed_newest_first_and_retire_once(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let (old, new) = (sp_key(&tenant, 1), sp_key(&tenant, 2));
    let mut tx = db.store.begin().await.unwrap();
    sp_keys::insert(&mut tx, &old).await.unwrap();
    sp_keys::insert(&mut tx, &new).await.unwrap();
    let (account, connection) = (tenant.account.id, tenant.connection.id);
    sp_keys::retire(&mut tx, account, connection, old.id, at(99)).await.unwrap();
    let again = sp_keys::retire(&mut tx, account, connection, old.id, at(100)).await;
    assert!(matches!(again, Err(StorageError::Stale)), "{again:?}");
    let retired = SpKeyRecord { retires_at: Some(at(99)), ..old };
    assert_eq!(sp_keys::list(&mut tx, account, connection).await.unwrap(), [new, retired]);
    connections::delete(&mut tx, account, connection).await.unwrap();
    assert!(sp_keys::list(&mut tx, account, connection).await.unwrap().is_empty());
}

fn every_setting(initial: ConnectionSettings) -> ConnectionSettings {
    ConnectionSettings {
        idp_entity_id: Some("urn:idp:å".to_owned()),
        login_url: Some("https://idp.example.com/sso?x=1".parse().unwrap()),
        metadata_url: Some("https://idp.example.com/metadata".parse().unwrap()),
        certificates: vec![PinnedCertificate {
            pem: "-----BEGIN CERTIFICATE-----\n".to_owned(),
            sha256_fingerprint: "00ff".to_owned(),
            subject: "CN=\"idp\"".to_owned(),
            key: "RSA 2048".to_owned(),
            not_before: at(0),
            not_after: at(1),
        }],
        name_id_format: Some("urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified".to_owned()),
        requested_authn_context: Some("urn:x".to_owned()),
        email_domains: vec![EmailDomain::parse("example.com").unwrap()],
        default_roles: RoleSet::from([Role::OrganizationMember]),
        role_mappings: BTreeMap::from([("näc \"lead\"".to_owned(), Role::ALL.iter().copied().collect())]),
        clock_skew_seconds: u16::MAX,
        ..initial
    }
}
