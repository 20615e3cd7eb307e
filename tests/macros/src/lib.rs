//! Attributes for the suites, so that a test is an ordinary function to rustfmt and to editors.

use proc_macro::TokenStream;
use quote::quote;
use syn::{FnArg, ItemFn, parse_macro_input};

/// Runs a test once on each engine, as `name::sqlite` and `name::postgres`, each time with a fresh, migrated
/// `TestDatabase`, its only argument:
///
/// ```text
/// /// Proves A1.
/// #[both_engines]
/// async fn an_account_has_one_name(db: TestDatabase) { … }
/// ```
#[proc_macro_attribute]
pub fn both_engines(_: TokenStream, item: TokenStream) -> TokenStream {
    let test = parse_macro_input!(item as ItemFn);
    let ItemFn { attrs, sig, block, .. } = &test;
    let (name, inputs) = (&sig.ident, &sig.inputs);
    let takes_a_database = inputs.len() == 1 && matches!(inputs.first(), Some(FnArg::Typed(_)));
    if sig.asyncness.is_none() || !takes_a_database {
        let wanted = "a test on both engines is `async fn name(db: TestDatabase)`";
        return syn::Error::new_spanned(sig, wanted).into_compile_error().into();
    }
    let expanded = quote! {
        #(#attrs)*
        mod #name {
            #[allow(unused_imports, reason = "not every test needs what its neighbours do")]
            use super::*;

            async fn rule(#inputs) #block

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                rule(::tests::databases::database(::tests::databases::Engine::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                rule(::tests::databases::database(::tests::databases::Engine::Postgres).await).await;
            }
        }
    };
    expanded.into()
}
