//! From replies and messages to bytes, in the protocol that the client has chosen.

use bytes::{Bytes, BytesMut};
use redis_protocol::resp2::types::BytesFrame as Frame2;
use redis_protocol::resp3::types::BytesFrame as Frame3;
use redis_protocol::{resp2, resp3};

/// Which RESP a client speaks: 2 until it says `HELLO 3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Resp2,
    Resp3,
}

/// What a client is told. RESP2 has neither maps nor pushes: there both are arrays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Simple(&'static str),
    /// Kind and text, `ERR unknown command` for instance. Holds no line break.
    Error(String),
    Integer(i64),
    Bulk(Bytes),
    Null,
    Array(Vec<Reply>),
    Map(Vec<(Reply, Reply)>),
    /// Not the answer to a request but something that has happened.
    Push(Vec<Reply>),
}

impl Reply {
    pub(crate) const OK: Reply = Reply::Simple("OK");

    /// A bulk string.
    pub(crate) fn bulk(text: impl Into<Bytes>) -> Self {
        Reply::Bulk(text.into())
    }

    /// A number that was counted here, far below the largest integer.
    pub(crate) fn count(count: impl TryInto<i64>) -> Self {
        Reply::Integer(count.try_into().unwrap_or(i64::MAX))
    }

    /// The bytes that say so. `None` when the encoder refuses, which would be a fault in here.
    pub(crate) fn encode(self, protocol: Protocol) -> Option<Bytes> {
        let mut bytes = BytesMut::new();
        let encoded = match protocol {
            Protocol::Resp2 => resp2::encode::extend_encode(&mut bytes, &self.into_resp2(), false),
            Protocol::Resp3 => {
                resp3::encode::complete::extend_encode(&mut bytes, &self.into_resp3(), false)
            }
        };
        match encoded {
            Ok(_) => Some(bytes.freeze()),
            Err(error) => {
                tracing::error!(%error, "a reply could not be encoded");
                None
            }
        }
    }

    fn into_resp2(self) -> Frame2 {
        let array = |items: Vec<Reply>| items.into_iter().map(Reply::into_resp2).collect();
        match self {
            Reply::Simple(text) => Frame2::SimpleString(Bytes::from_static(text.as_bytes())),
            Reply::Error(text) => Frame2::Error(text.into()),
            Reply::Integer(number) => Frame2::Integer(number),
            Reply::Bulk(bytes) => Frame2::BulkString(bytes),
            Reply::Null => Frame2::Null,
            Reply::Array(items) | Reply::Push(items) => Frame2::Array(array(items)),
            Reply::Map(pairs) => {
                Frame2::Array(array(pairs.into_iter().flat_map(|(k, v)| [k, v]).collect()))
            }
        }
    }

    fn into_resp3(self) -> Frame3 {
        let attributes = None;
        let array = |items: Vec<Reply>| items.into_iter().map(Reply::into_resp3).collect();
        match self {
            Reply::Simple(text) => Frame3::SimpleString {
                data: Bytes::from_static(text.as_bytes()),
                attributes,
            },
            Reply::Error(text) => Frame3::SimpleError {
                data: text.into(),
                attributes,
            },
            Reply::Integer(data) => Frame3::Number { data, attributes },
            Reply::Bulk(data) => Frame3::BlobString { data, attributes },
            Reply::Null => Frame3::Null,
            Reply::Array(items) => Frame3::Array {
                data: array(items),
                attributes,
            },
            Reply::Push(items) => Frame3::Push {
                data: array(items),
                attributes,
            },
            Reply::Map(pairs) => {
                let pairs = pairs
                    .into_iter()
                    .map(|(k, v)| (k.into_resp3(), v.into_resp3()));
                Frame3::Map {
                    data: pairs.collect(),
                    attributes,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_encodes(reply: Reply, resp2: &str, resp3: &str) {
        assert_eq!(reply.clone().encode(Protocol::Resp2).unwrap(), resp2);
        assert_eq!(reply.encode(Protocol::Resp3).unwrap(), resp3);
    }

    #[test]
    fn replies_take_the_form_of_the_protocol() {
        assert_encodes(Reply::OK, "+OK\r\n", "+OK\r\n");
        assert_encodes(Reply::Error("ERR no".into()), "-ERR no\r\n", "-ERR no\r\n");
        assert_encodes(Reply::Integer(-1), ":-1\r\n", ":-1\r\n");
        assert_encodes(Reply::Null, "$-1\r\n", "_\r\n");
        assert_encodes(Reply::bulk("a"), "$1\r\na\r\n", "$1\r\na\r\n");
        let items = vec![Reply::bulk(""), Reply::Integer(2)];
        assert_encodes(
            Reply::Array(items.clone()),
            "*2\r\n$0\r\n\r\n:2\r\n",
            "*2\r\n$0\r\n\r\n:2\r\n",
        );
        assert_encodes(
            Reply::Push(items),
            "*2\r\n$0\r\n\r\n:2\r\n",
            ">2\r\n$0\r\n\r\n:2\r\n",
        );
        let pairs = vec![(Reply::bulk("k"), Reply::Integer(1))];
        assert_encodes(
            Reply::Map(pairs),
            "*2\r\n$1\r\nk\r\n:1\r\n",
            "%1\r\n$1\r\nk\r\n:1\r\n",
        );
    }
}
