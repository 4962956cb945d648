//! People who use the interface and the API.

use sqlx::FromRow;

use crate::ending::{Ended, Ending, TokensGo, end_sessions, revoke_issued};
use crate::error::StoreError;
use crate::open::Store;
use crate::revision::change;
use crate::statements::{like, statements};

/// A user. Times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct User {
    /// [`crate::new_id`].
    pub id: String,
    /// What the user signs in as; unique.
    pub name: String,
    /// The name of the role.
    pub role: String,
    /// Of argon2, in PHC string format.
    pub password_hash: String,
    /// Not 0 for one who may not sign in.
    pub disabled: i64,
    /// Since when.
    pub created_at: i64,
    /// When anything of it was changed last.
    pub changed_at: i64,
}

/// What is to be changed of a user. What is `None` stays, whatever others change of it meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// The name of the role.
    pub role: Option<String>,
    /// Of argon2, in PHC string format.
    pub password_hash: Option<String>,
    /// Whether the user may not sign in.
    pub disabled: Option<bool>,
}

statements! {
    ADD = "INSERT INTO users (id, name, role, password_hash, disabled, created_at, changed_at) \
           VALUES ($1, $2, $3, $4, $5, $6, $7)";
    CHANGE = "UPDATE users SET role = COALESCE(CAST($2 AS TEXT), role), \
              password_hash = COALESCE(CAST($3 AS TEXT), password_hash), \
              disabled = COALESCE(CAST($4 AS BIGINT), disabled), changed_at = $5 WHERE id = $1";
    OWN_PASSWORD = "UPDATE users SET password_hash = $3, changed_at = $4 \
                    WHERE id = $1 AND password_hash = $2 AND disabled = 0 \
                    AND EXISTS (SELECT 1 FROM sessions WHERE id = $5 AND user_id = $6)";
    END_OTHERS = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2";
    REMOVE = "DELETE FROM users WHERE id = $1";
    ALL_USERS = "SELECT id, name, role, password_hash, disabled, created_at, changed_at FROM users \
                 ORDER BY id DESC LIMIT $1";
    LIST = "SELECT id, name, role, password_hash, disabled, created_at, changed_at FROM users \
            WHERE name LIKE $1 ESCAPE '\\' AND ($2 = '' OR name = $3) AND ($4 = '' OR id < $5) \
            ORDER BY id DESC LIMIT $6";
    FIND = "SELECT id, name, role, password_hash, disabled, created_at, changed_at FROM users \
            WHERE id = $1";
}

/// Which users are wanted.
#[derive(Debug, Clone, Default)]
pub struct UserQuery {
    /// With this in their name, in whatever case; all when empty.
    pub search: String,
    /// Of exactly this name; of any when empty.
    pub name: String,
    /// Behind this one, in the order of the list.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

impl Store {
    /// Adds a user; [`StoreError::Taken`] when the name is.
    pub async fn add_user(&self, user: &User) -> Result<(), StoreError> {
        change!(
            self,
            ADD,
            &user.id,
            &user.name,
            &user.role,
            &user.password_hash,
            user.disabled,
            user.created_at,
            user.changed_at,
        )
        .map(drop)
    }

    /// Changes a user; with a new password, and with the right to sign in, all sessions go, and of the
    /// tokens that the user has issued those that are named. Gives what went; nothing when there is no
    /// such user.
    pub async fn change_user(
        &self,
        id: &str,
        wanted: &UserChange,
        ending: &Ending<'_>,
        tokens: TokensGo,
    ) -> Result<Option<Ended>, StoreError> {
        let changed = async {
            let mut change = self.pool.begin().await?;
            let rows = sqlx::query(CHANGE)
                .bind(id)
                .bind(wanted.role.as_deref())
                .bind(wanted.password_hash.as_deref())
                .bind(wanted.disabled.map(i64::from))
                .bind(ending.now)
                .execute(&mut *change)
                .await?
                .rows_affected();
            if rows == 0 {
                return Ok(None);
            }
            let mut ended = Ended::default();
            if wanted.disabled == Some(true) || wanted.password_hash.is_some() {
                ended.sessions = end_sessions(&mut change, id).await?;
            }
            ended.tokens = revoke_issued(&mut change, ending, tokens).await?;
            crate::revision::grow(&mut change).await?;
            change.commit().await?;
            Ok(Some(ended))
        }
        .await;
        self.noted(changed)
    }

    /// A user's own new password, where nothing has happened meanwhile: the password is still the one
    /// of `until_now`, the user may sign in, and `session` is open. The user's other sessions end;
    /// gives how many, or nothing where it was not to be.
    pub async fn change_own_password(
        &self,
        id: &str,
        session: &str,
        until_now: &str,
        password_hash: &str,
        now: i64,
    ) -> Result<Option<u64>, StoreError> {
        let changed = async {
            let mut change = self.pool.begin().await?;
            let rows = sqlx::query(OWN_PASSWORD)
                .bind(id)
                .bind(until_now)
                .bind(password_hash)
                .bind(now)
                .bind(session)
                .bind(id)
                .execute(&mut *change)
                .await?
                .rows_affected();
            if rows == 0 {
                return Ok(None);
            }
            let ended = sqlx::query(END_OTHERS)
                .bind(id)
                .bind(session)
                .execute(&mut *change)
                .await?;
            crate::revision::grow(&mut change).await?;
            change.commit().await?;
            Ok(Some(ended.rows_affected()))
        }
        .await;
        self.noted(changed)
    }

    /// Removes a user with sessions and issued tokens; gives what went, nothing when there is no such
    /// user.
    pub async fn remove_user(
        &self,
        id: &str,
        ending: &Ending<'_>,
    ) -> Result<Option<Ended>, StoreError> {
        let removed = async {
            let mut change = self.pool.begin().await?;
            let rows = sqlx::query(REMOVE).bind(id).execute(&mut *change).await?;
            if rows.rows_affected() == 0 {
                return Ok(None);
            }
            let sessions = end_sessions(&mut change, id).await?;
            let tokens = revoke_issued(&mut change, ending, TokensGo::All).await?;
            crate::revision::grow(&mut change).await?;
            change.commit().await?;
            Ok(Some(Ended { sessions, tokens }))
        }
        .await;
        self.noted(removed)
    }

    /// Up to `most` users, the latest first.
    pub async fn all_users(&self, most: i64) -> Result<Vec<User>, StoreError> {
        let read = sqlx::query_as(ALL_USERS)
            .bind(most)
            .fetch_all(&self.pool)
            .await;
        self.noted(read)
    }

    /// Users, the latest first.
    pub async fn users(&self, query: &UserQuery) -> Result<Vec<User>, StoreError> {
        let after = query.after.as_deref().unwrap_or_default();
        let read = sqlx::query_as(LIST)
            .bind(like(&query.search))
            .bind(&query.name)
            .bind(&query.name)
            .bind(after)
            .bind(after)
            .bind(query.limit)
            .fetch_all(&self.pool)
            .await;
        self.noted(read)
    }

    /// One by its id.
    pub async fn user(&self, id: &str) -> Result<Option<User>, StoreError> {
        let read = sqlx::query_as(FIND)
            .bind(id)
            .fetch_optional(&self.pool)
            .await;
        self.noted(read)
    }
}
