//! The errors that an operation names itself, because nothing else tells that it has them.

use std::collections::BTreeMap;

use tidegate_protocol::admin::Problem;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{Content, Ref, RefOr, header::HeaderBuilder};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

/// An error in the form that every error has.
pub(super) fn problem(description: &str) -> ResponseBuilder {
    let schema = Ref::from_schema_name(Problem::name());
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", Content::new(Some(schema)))
}

/// A header of an error.
pub(super) fn header(description: &str) -> utoipa::openapi::header::Header {
    HeaderBuilder::new()
        .schema(Some(String::schema()))
        .description(Some(description))
        .build()
}

/// To be written among the `responses(...)` of an operation.
macro_rules! refusals {
    ($($(#[$meta:meta])* $name:ident { $($status:literal: $problem:expr),* $(,)? })*) => {$(
        $(#[$meta])*
        pub(in crate::api) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                [$(($status.to_owned(), RefOr::T($problem.build()))),*].into()
            }
        }
    )*};
}

refusals! {
    /// It speaks of one thing, which may not be there.
    NotFound {
        "404": problem("There is no such thing (any more)."),
    }
    /// It looks into the store.
    Stored {
        "500": problem("Something went wrong here; the log says what."),
        "503": problem("The store is busy or cannot be reached.")
            .header("retry-after", header("Seconds until it is worth trying again.")),
    }
    /// It speaks to the bus.
    BusDown {
        "503": problem("The bus is down."),
    }
    /// A plugin is asked.
    Asked {
        "404": problem("There is no such plugin, or it knows no such thing."),
        "413": problem("The body is too large."),
        "415": problem("The body is neither JSON nor text."),
        "422": problem("The plugin does not take what it was given."),
        "502": problem("The plugin gave an answer that cannot be used."),
        "503": problem("As many requests as may wait for plugins do so, or the bus is down.")
            .header("retry-after", header("Seconds until it is worth trying again.")),
        "504": problem("The plugin did not answer in time."),
    }
    /// It asks for a password.
    WrongPassword {
        "401": problem("The name or the password is wrong."),
        "403": problem("There is no password, or the header `x-tidegate-request` is missing."),
        "429": problem("Too many wrong passwords from this address.")
            .header("retry-after", header("Seconds until the next one is taken.")),
    }
    /// It asks for the password of who is known already.
    Slowed {
        "429": problem("Too many wrong passwords from this address.")
            .header("retry-after", header("Seconds until the next one is taken.")),
    }
    /// It changes something for a browser, whoever that is.
    NotFromHere {
        "403": problem("The header `x-tidegate-request` is missing."),
    }
    /// Tokens that not everybody gets.
    TokenRefused {
        "401": problem("A channel of the gateway itself: sign in first."),
        "403": problem("This gateway issues tokens to administrators only."),
        "500": problem("Something went wrong here; the log says what."),
        "503": problem("The store is busy.")
            .header("retry-after", header("Seconds until it is worth trying again.")),
    }
    /// It may contradict what is there already.
    Conflict {
        "409": problem("What is there already speaks against it."),
    }
    /// It is judged beyond its form.
    Unprocessable {
        "422": problem("A value that is not taken; the detail says which one and why."),
    }
}
