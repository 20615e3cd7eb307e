//! API keys of accounts.

use domain::ApiKeyId;
use domain::api_key::{ApiKey, ApiKeyScope, ApiKeyScopes};
use storage::api_keys;
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{at, digest, fresh, label, tenant};

/// Proves A5: a key reads back, is found by its digest with its account's settings, belongs to its account alone,
/// and no more are added than there may be.
#[both_engines]
async fn a_key_reads_back_within_its_account(db: TestDatabase) {
    let (own, other) = (tenant(&db.store, "own").await, tenant(&db.store, "other").await.account.id);
    let account = own.account.id;
    let new = || ApiKey {
        id: ApiKeyId::from_uuid(fresh()),
        account_id: account,
        name: label("Imports ö"),
        scopes: ApiKeyScopes::from([ApiKeyScope::Read, ApiKeyScope::UsersWrite]),
        hint: "vak_abcd".to_owned(),
        digest: digest(),
        created_at: at(0),
        expires_at: Some(at(9)),
        last_used_at: None,
    };
    let (key, second) = (new(), new());
    let mut tx = db.store.begin().await.unwrap();
    assert!(api_keys::insert(&mut tx, &key, 1).await.unwrap());
    assert!(!api_keys::insert(&mut tx, &second, 1).await.unwrap());
    assert_eq!(api_keys::by_id(&mut tx, account, key.id).await.unwrap().as_ref(), Some(&key));
    let presented = api_keys::by_digest(&mut tx, key.digest).await.unwrap();
    assert_eq!(presented, Some((key.clone(), own.account.settings)));
    assert!(api_keys::by_digest(&mut tx, digest()).await.unwrap().is_none());
    api_keys::record_use(&mut tx, other, key.id, at(5)).await.unwrap();
    assert!(api_keys::by_id(&mut tx, other, key.id).await.unwrap().is_none());
    assert!(api_keys::list(&mut tx, other).await.unwrap().is_empty());
    assert!(!api_keys::delete(&mut tx, other, key.id).await.unwrap());
    api_keys::record_use(&mut tx, account, key.id, at(6)).await.unwrap();
    let used = ApiKey { last_used_at: Some(at(6)), ..key };
    assert_eq!(api_keys::list(&mut tx, account).await.unwrap().as_slice(), std::slice::from_ref(&used));
    assert!(api_keys::delete(&mut tx, account, used.id).await.unwrap());
    assert!(api_keys::list(&mut tx, account).await.unwrap().is_empty());
}
