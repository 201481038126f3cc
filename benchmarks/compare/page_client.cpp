#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_future.hpp>
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

// Runs `io` until the operation just started is through. Only asynchronous operations obey a stream's time limit.
template <class Future>
auto finish(asio::io_context& io, Future operation) {
  io.restart();
  io.run();
  return operation.get();
}

}  // namespace

std::string fetch_page(int port, int number) {
  asio::io_context io{1};
  beast::tcp_stream stream(io);
  stream.expires_after(patience);
  const asio::ip::tcp::endpoint server(asio::ip::address_v4::loopback(), static_cast<unsigned short>(port));
  finish(io, stream.async_connect(server, asio::use_future));

  http::request<http::empty_body> request(http::verb::get, "/page/" + std::to_string(number), 11);
  request.set(http::field::host, "127.0.0.1");
  request.keep_alive(false);
  finish(io, http::async_write(stream, request, asio::use_future));

  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  finish(io, http::async_read(stream, buffer, response, asio::use_future));
  if (response.result() != http::status::ok) {
    throw std::runtime_error("page " + std::to_string(number) + ": the server answered " +
                             std::to_string(response.result_int()));
  }
  return std::move(response.body());
}

}  // namespace compare
