#include "page_server.hpp"

#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <ctime>
#include <string_view>
#include <thread>

namespace compare {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr std::chrono::seconds patience{30};

http::response<http::string_body> answer_to(const http::request<http::empty_body>& request) {
  const std::string target(request.target().data(), request.target().size());
  constexpr std::string_view prefix = "/page/";
  int number = -1;
  if (target.starts_with(prefix)) {
    std::from_chars(target.data() + prefix.size(), target.data() + target.size(), number);
  }
  http::response<http::string_body> response(number < 0 ? http::status::not_found : http::status::ok,
                                             request.version());
  response.set(http::field::content_type, "text/plain");
  response.body() = number < 0 ? "no such page\n" : page_text(number);
  response.keep_alive(request.keep_alive());
  response.prepare_payload();
  return response;
}

// One connection. Each pending operation holds a reference; the session ends with the last of them, on
// any error, and when the client asks to close.
class session : public std::enable_shared_from_this<session> {
 public:
  session(tcp::socket socket, std::chrono::microseconds latency)
      : stream_(std::move(socket)), timer_(stream_.get_executor()), latency_(latency) {}

  void read() {
    request_ = {};
    stream_.expires_after(patience);
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](beast::error_code failure, std::size_t) {
                       if (!failure) self->take_time();
                     });
  }

 private:
  void take_time() {
    if (latency_.count() == 0) return write();
    timer_.expires_after(latency_);
    timer_.async_wait([self = shared_from_this()](beast::error_code failure) {
      if (!failure) self->write();
    });
  }

  void write() {
    response_ = answer_to(request_);
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code failure, std::size_t) {
                        if (!failure && self->response_.keep_alive()) return self->read();
                        self->stream_.socket().shutdown(tcp::socket::shutdown_send, failure);
                      });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  asio::steady_timer timer_;
  std::chrono::microseconds latency_;
  http::request<http::empty_body> request_;
  http::response<http::string_body> response_;
};

}  // namespace

class page_server::service {
 public:
  explicit service(std::chrono::microseconds latency)
      : acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        port_(acceptor_.local_endpoint().port()),
        latency_(latency) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }

  ~service() {
    io_.stop();
    thread_.join();
  }

  service(const service&) = delete;
  service& operator=(const service&) = delete;

  [[nodiscard]] unsigned short port() const { return port_; }

  [[nodiscard]] double cpu_seconds() {
    clockid_t clock{};
    timespec used{};
    if (pthread_getcpuclockid(thread_.native_handle(), &clock) != 0 || clock_gettime(clock, &used) != 0)
      return 0;
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
  }

 private:
  void accept() {
    acceptor_.async_accept([this](beast::error_code failure, tcp::socket socket) {
      if (!failure) std::make_shared<session>(std::move(socket), latency_)->read();
      if (failure != asio::error::operation_aborted) accept();
    });
  }

  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  unsigned short port_;
  std::chrono::microseconds latency_;
  std::thread thread_;
};

page_server::page_server(std::chrono::microseconds latency) : service_(std::make_unique<service>(latency)) {}

page_server::~page_server() = default;

unsigned short page_server::port() const { return service_->port(); }

double page_server::cpu_seconds() const { return service_->cpu_seconds(); }

std::string page_text(int number) {
  constexpr int lines = 160;
  std::string text;
  for (int line = 0; line < lines; ++line) {
    text += "page " + std::to_string(number) + " line " + std::to_string(line) +
            ": all the news that fit to fetch\n";
  }
  return text;
}

}  // namespace compare
