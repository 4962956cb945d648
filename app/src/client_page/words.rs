//! What a refusal means for who tests a client, and what to do about it.

/// A sentence for a reason of the gateway; nothing for one that is a sentence already.
pub(crate) fn advice(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "unauthorized" => {
            "This channel asks for a token, or for one with more rights. Join with a token; an admin channel needs an admin session in this browser."
        }
        "invalid token" => {
            "The gateway did not sign this token, or its signing key has changed. The page asks for a new one at the next try."
        }
        "key of the token unknown" => {
            "The issuer of this token has a key that the gateway does not know yet. It looks for new keys; try again in a moment."
        }
        "token expired" => {
            "The token was good once. The page asks for a new one at the next try; nothing needs to be done."
        }
        "token revoked" => {
            "Somebody has revoked this token, or the key that signed it. The page asks for a new one at the next try."
        }
        "token is for another channel" => {
            "A token opens the channel it names and no other. Ask for a token of this channel."
        }
        "role needed" => {
            "The channel is for members with a role that the token does not carry. Ask whoever issues the tokens for one with it."
        }
        "token is for another user" => {
            "A member may renew its own token only. Leave, and join with the other one."
        }
        "too many channels joined" => {
            "This connection has joined as many channels as it may. Leave one first."
        }
        "invalid topic" => {
            "A topic has 1 to 255 bytes and no control characters. Choose another name."
        }
        "invalid event" => {
            "An event has 1 to 255 bytes, no colon and no control characters. Choose another name."
        }
        "invalid join" => {
            "The join's payload must be a JSON object, and its presence too. Correct the presence metadata."
        }
        "presence too large" => "Presence metadata may have 1 KiB of JSON. Make it smaller.",
        "reserved event" => {
            "Events that start with phx_ or presence_ belong to the protocol. Choose another name."
        }
        "unmatched topic" => {
            "The gateway does not know this join any more. Join the channel again."
        }
        "push not allowed" => {
            "The channel's definition lets other members push, or nobody. An administrator can change it."
        }
        "too many pushes" => "More events per second than one connection may send. Slow down.",
        "too many joins" => "More joins per second than one connection may make. Wait a moment.",
        "bus unavailable" => {
            "The gateway has lost its bus and reconnects by itself. The event was not sent; try again."
        }
        "too many topics" => {
            "The gateway carries as many channels as it may. Wait until one closes, or raise its limit."
        }
        "malformed frame" => "The gateway could not read the frame.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_protocol::Reason;

    #[test]
    fn every_reason_of_the_gateway_has_its_advice() {
        for reason in Reason::ALL {
            assert!(advice(reason.as_str()).is_some(), "{reason}");
        }
        assert_eq!(advice("no answer in time"), None);
    }
}
