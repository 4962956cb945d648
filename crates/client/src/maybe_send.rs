//! One spelling for "may go to another thread, where there are threads".
//!
//! tokio moves tasks between threads; the browser has one, and its futures are not `Send`. Join
//! parameters are asked for on both, so their type depends on the target and nothing else does.

use std::pin::Pin;

use serde_json::Value;

/// `Send` outside the browser, anything inside.
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSend: Send {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send> MaybeSend for T {}

/// `Send` outside the browser, anything inside.
#[cfg(target_arch = "wasm32")]
pub trait MaybeSend {}
#[cfg(target_arch = "wasm32")]
impl<T> MaybeSend for T {}

/// What a join sends, or why it cannot be sent, in words.
#[cfg(not(target_arch = "wasm32"))]
pub type JoinParamsFuture = Pin<Box<dyn Future<Output = Result<Value, String>> + Send>>;
/// What a join sends, or why it cannot be sent, in words.
#[cfg(target_arch = "wasm32")]
pub type JoinParamsFuture = Pin<Box<dyn Future<Output = Result<Value, String>>>>;

#[cfg(not(target_arch = "wasm32"))]
type Provider = Box<dyn Fn() -> JoinParamsFuture + Send + Sync>;
// The handle of a client is `Send` everywhere, as signals of the interface want it; the wrapper
// keeps what is not on the one thread there is.
#[cfg(target_arch = "wasm32")]
type Provider = send_wrapper::SendWrapper<Box<dyn Fn() -> JoinParamsFuture>>;

/// Where the parameters of each join come from. They are asked for anew at each join, so that a
/// token is fresh after a day of being away.
pub struct JoinParams(Provider);

impl JoinParams {
    /// The same at every join.
    pub fn fixed(params: Value) -> Self {
        Self::with(move || {
            let params = params.clone();
            async move { Ok(params) }
        })
    }

    /// Asks `provider` at each join.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn with<F, Fut>(provider: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Value, String>> + Send + 'static,
    {
        Self(Box::new(move || Box::pin(provider())))
    }

    /// Asks `provider` at each join.
    #[cfg(target_arch = "wasm32")]
    pub fn with<F, Fut>(provider: F) -> Self
    where
        F: Fn() -> Fut + 'static,
        Fut: Future<Output = Result<Value, String>> + 'static,
    {
        let provider: Box<dyn Fn() -> JoinParamsFuture> = Box::new(move || Box::pin(provider()));
        Self(send_wrapper::SendWrapper::new(provider))
    }

    pub(crate) fn ask(&self) -> JoinParamsFuture {
        (self.0)()
    }
}

impl std::fmt::Debug for JoinParams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JoinParams")
    }
}
