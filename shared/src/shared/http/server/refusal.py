"""An answer that is written past the application."""

from http import HTTPStatus

from shared.http.problem import Problem, problem_response


def refusal(problem: Problem) -> bytes:
    """A whole answer, after which the connection ends."""
    response = problem_response(problem)
    response.headers["Connection"] = "close"
    response.headers["Access-Control-Allow-Origin"] = "*"
    status = HTTPStatus(problem.status)
    lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
    return b"".join([b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()), *lines, b"\r\n", bytes(response.body)])
