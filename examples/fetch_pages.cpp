// Fetches many pages at the same time: IO-bound work, so threads, and more of them than there are CPUs.
//
// Each task is a plain blocking client (Boost.Beast); the pool does the rest. The server is a small one on loopback
// (page_server.hpp), so that the example needs no network.
#include <tandem/tandem.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "page_server.hpp"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

// One connection, one request, one page. Blocks until it is there.
std::string fetch(const tcp::endpoint& server, const std::string& target) {
  asio::io_context io;
  beast::tcp_stream stream(io);
  stream.connect(server);
  http::request<http::empty_body> request(http::verb::get, target, 11);
  request.set(http::field::host, server.address().to_string());
  http::write(stream, request);
  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  http::read(stream, buffer, response);
  if (response.result() != http::status::ok) {
    throw std::runtime_error(std::to_string(response.result_int()) + " " + std::string(response.reason()));
  }
  return response.body();
}

}  // namespace

int main() {
  page_server server;  // takes 20 ms for a page, and has no page 13
  tandem::thread_pool pool({.max_workers = 16, .name_prefix = "fetch"});

  std::vector<std::pair<std::string, tandem::future<std::string>>> pages;
  for (int n = 1; n <= 40; ++n) {
    const std::string target = "/page/" + std::to_string(n);
    pages.emplace_back(target, pool.submit(fetch, server.endpoint(), target));
  }

  // Results in the order of submission; urls_as_completed.cpp takes them as they come.
  int fetched = 0;
  std::size_t bytes = 0;
  for (auto& [target, page] : pages) {
    try {
      bytes += page.get().size();
      ++fetched;
    } catch (const std::exception& e) {
      std::cout << target << " failed: " << e.what() << '\n';
    }
  }
  std::cout << fetched << " pages, " << bytes << " bytes\n";
}
