//! People who use the interface and the API.

use sqlx::FromRow;

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

statements! {
    ADD = "INSERT INTO users (id, name, role, password_hash, disabled, created_at, changed_at) \
           VALUES ($1, $2, $3, $4, $5, $6, $7)";
    CHANGE = "UPDATE users SET name = $2, role = $3, password_hash = $4, disabled = $5, changed_at = $6 \
              WHERE id = $1";
    REMOVE = "DELETE FROM users WHERE id = $1";
    LIST = "SELECT id, name, role, password_hash, disabled, created_at, changed_at FROM users \
            ORDER BY name LIMIT $1";
    NAMED = "SELECT id, name, role, password_hash, disabled, created_at, changed_at FROM users \
             WHERE name LIKE $1 ESCAPE '\\' ORDER BY name LIMIT $2";
    FIND = "SELECT id, name, role, password_hash, disabled, created_at, changed_at FROM users \
            WHERE id = $1";
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

    /// Changes all but id and creation; `false` when there is no such user.
    pub async fn change_user(&self, user: &User) -> Result<bool, StoreError> {
        change!(
            self,
            CHANGE,
            &user.id,
            &user.name,
            &user.role,
            &user.password_hash,
            user.disabled,
            user.changed_at,
        )
        .map(|rows| rows > 0)
    }

    /// Removes a user; `false` when there is none.
    pub async fn remove_user(&self, id: &str) -> Result<bool, StoreError> {
        change!(self, REMOVE, id).map(|rows| rows > 0)
    }

    /// Up to `most` users, by name.
    pub async fn users(&self, most: i64) -> Result<Vec<User>, StoreError> {
        let read = sqlx::query_as(LIST).bind(most).fetch_all(&self.pool).await;
        self.noted(read)
    }

    /// Up to `most` users whose name holds this text, by name.
    pub async fn users_named(&self, text: &str, most: i64) -> Result<Vec<User>, StoreError> {
        let read = sqlx::query_as(NAMED)
            .bind(like(text))
            .bind(most)
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
