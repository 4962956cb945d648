//! `tidegate token`.

use std::path::PathBuf;

use clap::Subcommand;
use tidegate_protocol::trust::{Introspect, Introspection, IssueToken, Revoke, TokenInfo};
use tidegate_protocol::{Right, RoleName};

use super::api::{Api, encoded, read};
use super::reach::Reach;
use super::{CliError, secrets, show};

/// `token CHANNEL ID`, or one of the commands.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "tidegate token CHANNEL ID [OPTIONS]\n       tidegate token COMMAND"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print a token for this topic, or prefix:*
    #[arg(required = true)]
    channel: Option<String>,
    /// The user whose token it is to be
    #[arg(required = true)]
    id: Option<String>,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Subcommand)]
enum Command {
    /// Issue a token and print it
    Issue {
        /// Topics, or prefix:* patterns
        #[arg(long, required = true, value_delimiter = ',')]
        channel: Vec<String>,
        /// Whose it is to be [default: a random name]
        #[arg(long, default_value = "", hide_default_value = true)]
        subject: String,
        /// How long it lives [default: --token-seconds of the gateway]
        #[arg(long)]
        seconds: Option<u64>,
        /// What it allows, comma-separated [default: join,push,presence]
        #[arg(long, value_enum, value_delimiter = ',')]
        allow: Option<Vec<Allows>>,
        /// The roles of its user, comma-separated
        #[arg(long, value_delimiter = ',', value_parser = RoleName::new)]
        role: Vec<RoleName>,
        #[command(flatten)]
        reach: Reach,
    },
    /// Tokens that were issued and have not expired, the latest first
    List {
        /// Of this subject only
        #[arg(long)]
        subject: Option<String>,
        /// Signed with this key only
        #[arg(long, value_name = "KID")]
        key: Option<String>,
        /// Show so many at most
        #[arg(long, default_value_t = 100)]
        limit: usize,
        #[command(flatten)]
        reach: Reach,
    },
    /// Say whether a token is good and what it says; exit code 1 when it is not
    Introspect {
        /// File with the token, - for standard input [default: asked on the terminal]
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
        #[command(flatten)]
        reach: Reach,
    },
    /// Refuse a token from now on, or all of a subject or of a key; their members are removed
    Revoke {
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        reach: Reach,
    },
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The name of the token (`token list` shows it)
    jti: Option<String>,
    /// File with the token itself, - for standard input
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Every token of this subject that was issued until now
    #[arg(long)]
    subject: Option<String>,
    /// Every token that this key has signed until now
    #[arg(long, value_name = "KID")]
    key: Option<String>,
}

/// A right, as it is written.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Allows {
    Join,
    Push,
    Presence,
    Admin,
}

impl From<Allows> for Right {
    fn from(allows: Allows) -> Self {
        match allows {
            Allows::Join => Right::Join,
            Allows::Push => Right::Push,
            Allows::Presence => Right::Presence,
            Allows::Admin => Right::Admin,
        }
    }
}

pub(crate) async fn run(args: Args) -> Result<(), CliError> {
    match args.command {
        None => {
            let wanted = IssueToken {
                id: args.id.unwrap_or_default(),
                channels: args.channel.into_iter().collect(),
                ..IssueToken::default()
            };
            issue(wanted, args.reach).await
        }
        Some(Command::Issue {
            channel,
            subject,
            seconds,
            allow,
            role,
            reach,
        }) => {
            let wanted = IssueToken {
                id: subject,
                channels: channel,
                allow: allow.map(|list| list.into_iter().map(Right::from).collect()),
                roles: role,
                seconds,
            };
            issue(wanted, reach).await
        }
        Some(Command::List {
            subject,
            key,
            limit,
            reach,
        }) => list(&[("id", subject), ("kid", key)], limit, reach).await,
        Some(Command::Introspect { token_file, reach }) => introspect(token_file, reach).await,
        Some(Command::Revoke { what, reach }) => revoke(what, reach).await,
    }
}

async fn issue(wanted: IssueToken, reach: Reach) -> Result<(), CliError> {
    let as_json = reach.json;
    let api = reach.signer().await?;
    let issued = api.post("/auth/token", &wanted).await;
    api.close().await;
    let issued = issued?;
    if as_json {
        return show::json(&issued);
    }
    show::line(issued["token"].as_str().unwrap_or_default())
}

async fn list(of: &[(&str, Option<String>)], limit: usize, reach: Reach) -> Result<(), CliError> {
    let as_json = reach.json;
    let api = reach.store().await?;
    let (items, more) = api.list("/auth/tokens", of, limit).await?;
    api.close().await;
    show::list(
        items,
        as_json,
        &["JTI", "SUBJECT", "CHANNELS", "KEY", "EXPIRES", "STATE"],
        |token: TokenInfo| {
            vec![
                token.jti,
                token.id,
                token.channels.join(","),
                token.kid,
                show::time(token.expires_at),
                if token.revoked_at.is_some() {
                    "revoked"
                } else {
                    "good"
                }
                .to_owned(),
            ]
        },
    )?;
    show::more(more);
    Ok(())
}

async fn introspect(file: Option<PathBuf>, reach: Reach) -> Result<(), CliError> {
    let token = secrets::secret("Token", file.as_deref(), false)?;
    let as_json = reach.json;
    let api = reach.store().await?;
    let wanted = Introspect {
        token,
        ..Introspect::default()
    };
    let said = api.post("/auth/introspect", &wanted).await;
    api.close().await;
    let said = said?;
    if as_json {
        show::json(&said)?;
    }
    let said: Introspection = read(said)?;
    if !said.active {
        return Err(CliError::TokenNotGood(
            said.reason
                .unwrap_or_else(|| "administrators are told why".to_owned()),
        ));
    }
    if as_json {
        return Ok(());
    }
    let seconds = |s: Option<u64>| show::time_or_dash(s.map(|s| s.saturating_mul(1000)));
    let word = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let allow = said.allow.unwrap_or_default();
    let allow = serde_json::to_value(allow).unwrap_or_default();
    let allow: Vec<String> = read(allow)?;
    let roles: Vec<String> = said.roles.into_iter().map(String::from).collect();
    show::table(
        &["CLAIM", "VALUE"],
        &[
            vec!["subject".to_owned(), word(said.sub)],
            vec!["channels".to_owned(), word(said.scope)],
            vec!["allow".to_owned(), allow.join(",")],
            vec!["roles".to_owned(), roles.join(",")],
            vec!["issued".to_owned(), seconds(said.iat)],
            vec!["expires".to_owned(), seconds(said.exp)],
            vec!["issuer".to_owned(), word(said.iss)],
            vec!["jti".to_owned(), word(said.jti)],
            vec!["key".to_owned(), word(said.kid)],
        ],
    )
}

async fn revoke(what: What, reach: Reach) -> Result<(), CliError> {
    let as_json = reach.json;
    let token = match what.token_file {
        Some(file) => Some(secrets::secret("Token", Some(&file), false)?),
        None => None,
    };
    let api = reach.store().await?;
    let done = match what.jti {
        Some(jti) => api.delete(&format!("/auth/tokens/{}", encoded(&jti))).await,
        None => {
            let body = Revoke {
                token,
                jti: None,
                subject: what.subject,
                kid: what.key,
            };
            api.post("/auth/revoke", &body).await
        }
    };
    finish(api, done, as_json).await
}

/// Ends a command whose answer is a sentence.
pub(crate) async fn finish(
    api: Api,
    done: Result<serde_json::Value, CliError>,
    as_json: bool,
) -> Result<(), CliError> {
    let follow_up = api.follow_up();
    api.close().await;
    show::done(&done?, as_json, follow_up)
}
