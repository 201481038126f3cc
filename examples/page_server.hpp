// A small HTTP server on loopback for fetch_pages.cpp: "/page/N" is a line of text, but for N = 13.
//
// One thread, a coroutine per connection. It takes 20 ms for each page, as if it were far away.
#ifndef EXAMPLES_PAGE_SERVER_HPP
#define EXAMPLES_PAGE_SERVER_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <utility>

class page_server {
  using tcp = boost::asio::ip::tcp;

 public:
  page_server() {
    boost::asio::co_spawn(io_, serve(), boost::asio::detached);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~page_server() {
    io_.stop();
    thread_.join();
  }
  tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  boost::asio::awaitable<void> serve() {
    for (;;) {
      tcp::socket socket = co_await acceptor_.async_accept(boost::asio::use_awaitable);
      boost::asio::co_spawn(io_, answer(std::move(socket)), boost::asio::detached);
    }
  }

  static boost::asio::awaitable<void> answer(tcp::socket socket) {
    namespace http = boost::beast::http;
    boost::beast::flat_buffer buffer;
    http::request<http::empty_body> request;
    co_await http::async_read(socket, buffer, request, boost::asio::use_awaitable);
    boost::asio::steady_timer latency(socket.get_executor(), std::chrono::milliseconds(20));
    co_await latency.async_wait(boost::asio::use_awaitable);
    const bool known = request.target() != "/page/13";
    http::response<http::string_body> response(known ? http::status::ok : http::status::not_found, 11);
    response.body() = "This is " + std::string(request.target()) + ".";
    response.prepare_payload();
    co_await http::async_write(socket, response, boost::asio::use_awaitable);
  }

  boost::asio::io_context io_;
  tcp::acceptor acceptor_{io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};  // any free port
  std::thread thread_;
};

#endif
