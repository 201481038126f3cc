#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <stdexcept>

#include "page_server.hpp"

namespace compare {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::chrono::seconds patience{30};

// Has `start` start an operation with the given handler and waits for its end. Not the blocking calls of the stream: only
// asynchronous operations obey its time limit.
template <class Start>
void await(asio::io_context& io, Start start) {
  beast::error_code result;
  start([&result](beast::error_code failure, auto&&...) { result = failure; });
  io.restart();
  io.run();
  if (result) throw beast::system_error(result);
}

}  // namespace

std::string fetch_page(int port, int number) {
  asio::io_context io{1};
  beast::tcp_stream stream(io);
  stream.expires_after(patience);
  const asio::ip::tcp::endpoint server(asio::ip::address_v4::loopback(), static_cast<unsigned short>(port));
  await(io, [&](auto done) { stream.async_connect(server, done); });

  http::request<http::empty_body> request(http::verb::get, "/page/" + std::to_string(number), 11);
  request.set(http::field::host, "127.0.0.1");
  request.keep_alive(false);
  await(io, [&](auto done) { http::async_write(stream, request, done); });

  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  await(io, [&](auto done) { http::async_read(stream, buffer, response, done); });
  if (response.result() != http::status::ok) {
    throw std::runtime_error("page " + std::to_string(number) + ": the server answered " +
                             std::to_string(response.result_int()));
  }
  return std::move(response.body());
}

}  // namespace compare
