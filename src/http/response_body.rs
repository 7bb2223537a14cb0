//! Long response bodies: sent in pieces, counted in a budget, and tracked by their connection until their end.
//!
//! The framework copies a whole piece before it checks whether the client reads. Pieces keep that copy small.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;

use super::byte_budget::{Budget, BudgetPart, ByteShare};
use super::connection::AnsweringGuard;
use super::problem::Problem;
use crate::runtime::Unavailable;

/// The maximum length of a piece. A shorter body is sent in one piece.
pub const PIECE_BYTES_MAX: usize = 32 * 1024;

/// A complete body that is sent in pieces, which share its memory.
pub struct Pieces {
    left: Bytes,
    #[expect(dead_code, reason = "it is held, not read")]
    share: Option<ByteShare>,
}

impl Pieces {
    /// A body in static memory, which all its readers share.
    pub fn shared(bytes: Bytes) -> Pieces {
        Pieces {
            left: bytes,
            share: None,
        }
    }
}

impl MessageBody for Pieces {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.left.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = self.left.len().min(PIECE_BYTES_MAX);
        let piece = self.left.split_to(next);
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }
}

/// A body whose request counts as being answered until the body ends.
struct AnsweredBody {
    body: BoxBody,
    #[expect(dead_code, reason = "it is held, not read")]
    answering: AnsweringGuard,
}

impl MessageBody for AnsweredBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.body.as_pin_mut().poll_next(cx)
    }
}

/// Prepares a response body. If the budget is used up, a long response to a read is refused. A response to a change is
/// always sent, because the change was made.
pub(super) fn outgoing(
    response: HttpResponse,
    answering: AnsweringGuard,
    answers: &Arc<Budget>,
    part: BudgetPart,
    is_read: bool,
) -> HttpResponse {
    if is_short(response.body().size()) {
        return response;
    }
    let mut taken = None;
    let response = response.map_body(|_, body| {
        taken = Some(body);
        BoxBody::new(())
    });
    let Some(body) = taken else {
        return response;
    };
    let body = match body.try_into_bytes() {
        Err(body) => body,
        Ok(bytes) => {
            let length = bytes.len() as u64;
            let share = match answers.take(length, part) {
                None if is_read => return Problem::refused(Unavailable::Busy).response(),
                None => answers.take_anyway(length),
                Some(share) => share,
            };
            BoxBody::new(Pieces {
                left: bytes,
                share: Some(share),
            })
        }
    };
    response.set_body(BoxBody::new(AnsweredBody { body, answering }))
}

fn is_short(size: BodySize) -> bool {
    match size {
        BodySize::None => true,
        BodySize::Sized(bytes) => bytes <= PIECE_BYTES_MAX as u64,
        BodySize::Stream => false,
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::connection::Connection;
    use super::*;

    fn of_bytes(bytes: usize) -> HttpResponse {
        HttpResponse::Ok().body(vec![b'x'; bytes])
    }

    async fn pieces(response: HttpResponse) -> Vec<usize> {
        let mut body = std::pin::pin!(response.into_body());
        let mut lengths = Vec::new();
        while let Some(piece) = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await {
            lengths.push(piece.unwrap().len());
        }
        lengths
    }

    #[actix_web::test]
    async fn a_long_answer_goes_out_in_pieces_and_is_counted_until_its_end() {
        let (budget, connection) = (Budget::new(1 << 20), Rc::new(Connection::default()));
        for (bytes, expected, counted) in [
            (0, vec![], 0),
            (PIECE_BYTES_MAX, vec![PIECE_BYTES_MAX], 0),
            (
                PIECE_BYTES_MAX * 2 + 1,
                vec![PIECE_BYTES_MAX, PIECE_BYTES_MAX, 1],
                PIECE_BYTES_MAX as u64 * 2 + 1,
            ),
        ] {
            let response = outgoing(
                of_bytes(bytes),
                connection.begin(),
                &budget,
                BudgetPart::All,
                true,
            );
            assert_eq!(response.body().size(), BodySize::Sized(bytes as u64));
            assert_eq!(budget.used(), counted, "{bytes}");
            assert_eq!(connection.is_answering(), counted > 0, "{bytes}");
            assert_eq!(pieces(response).await, expected, "{bytes}");
            assert_eq!((budget.used(), connection.is_answering()), (0, false));
        }
    }

    #[actix_web::test]
    async fn where_too_much_waits_a_read_is_refused_and_a_change_is_answered() {
        let (budget, connection) = (Budget::new(100_000), Rc::new(Connection::default()));
        let out = |part, is_read| {
            let response = of_bytes(60_000);
            outgoing(response, connection.begin(), &budget, part, is_read)
        };
        let first = out(BudgetPart::All, true);
        assert_eq!(first.status().as_u16(), 200);
        for (part, is_read, status) in [
            (BudgetPart::All, true, 503),
            (BudgetPart::Quarter, true, 503),
            (BudgetPart::All, false, 200),
        ] {
            let second = out(part, is_read);
            assert_eq!(second.status().as_u16(), status, "{part:?} {is_read}");
        }
        let shared = HttpResponse::Ok().body(Pieces::shared(Bytes::from(vec![b'x'; 60_000])));
        let shared = outgoing(
            shared,
            connection.begin(),
            &budget,
            BudgetPart::Quarter,
            true,
        );
        assert_eq!(
            (shared.status().as_u16(), budget.used()),
            (200, 60_000),
            "what is shared costs nothing"
        );
        drop((first, shared));
        assert_eq!((budget.used(), connection.is_answering()), (0, false));
    }
}
