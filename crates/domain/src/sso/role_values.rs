//! The role values of a `self_service` sign-in: what a token holds of them (C4, I1).

use std::collections::BTreeSet;

use serde_json::Value;

/// Most role values in a token.
pub const ROLE_VALUES_MAX: usize = 100;
/// Most bytes that they take up there together, as JSON. With the longest name, email and issuer an access token still
/// fits into the 8 KiB that proxies let a header have.
pub const ROLE_VALUES_MAX_BYTES: usize = 2_048;

/// Role values as a token holds them, and those that it does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleValues {
    /// Values in the token, each once, in the order in which they came.
    pub kept: Vec<String>,
    /// Beyond the bounds, whole: half a value may be another role.
    pub left_out: Vec<String>,
}

impl RoleValues {
    /// Takes the values that fit, the first ones first.
    pub fn within_bounds(values: &[String]) -> Self {
        let (mut bounded, mut seen, mut bytes) = (Self::default(), BTreeSet::new(), 0);
        for value in values.iter().filter(|value| seen.insert(value.as_str())) {
            let size = encoded_bytes(value);
            if bounded.kept.len() < ROLE_VALUES_MAX && bytes + size <= ROLE_VALUES_MAX_BYTES {
                bytes += size;
                bounded.kept.push(value.clone());
            } else {
                bounded.left_out.push(value.clone());
            }
        }
        bounded
    }
}

/// The bytes of a value in a JSON array, with what separates it from the next.
fn encoded_bytes(value: &str) -> usize {
    Value::from(value).to_string().len() + 1
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Proves C4: what fits stays as it came, each value once.
    #[test]
    fn a_few_values_are_kept_in_their_order() {
        let bounded = RoleValues::within_bounds(&["b", "a", "b", ""].map(str::to_owned));
        assert_eq!(bounded, RoleValues { kept: ["b", "a", ""].map(str::to_owned).to_vec(), left_out: vec![] });
    }

    /// Proves C4, I1: too many are left out from the end, and one that is too long does not displace the others.
    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        let many: Vec<String> = (0..400).map(|number| number.to_string()).collect();
        let bounded = RoleValues::within_bounds(&many);
        assert_eq!((bounded.kept.as_slice(), bounded.left_out.as_slice()), many.split_at(ROLE_VALUES_MAX));
        let long = ["x".repeat(ROLE_VALUES_MAX_BYTES), "short".to_owned()];
        let bounded = RoleValues::within_bounds(&long);
        assert_eq!((bounded.kept, bounded.left_out), (vec!["short".to_owned()], vec![long[0].clone()]));
    }

    proptest! {
        /// Proves I1: whatever comes, the bounds hold for its JSON, and no value is lost or changed.
        #[test]
        fn the_bounds_hold_for_any_values(values in vec(".{0,300}", 0..200)) {
            let RoleValues { kept, left_out } = RoleValues::within_bounds(&values);
            prop_assert!(kept.len() <= ROLE_VALUES_MAX);
            prop_assert!(Value::from(kept.clone()).to_string().len() <= ROLE_VALUES_MAX_BYTES + 2);
            let told: BTreeSet<&String> = kept.iter().chain(&left_out).collect();
            prop_assert_eq!(told.len(), kept.len() + left_out.len());
            prop_assert_eq!(told, values.iter().collect::<BTreeSet<_>>());
        }
    }
}
