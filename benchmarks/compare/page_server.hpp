// A small real HTTP server on loopback that takes a given time for each page. One thread serves all connections
// at once, so that it is the client's number of workers, not the server's, that limits the speed.
#ifndef TANDEM_COMPARE_PAGE_SERVER_HPP
#define TANDEM_COMPARE_PAGE_SERVER_HPP

#include <chrono>
#include <memory>
#include <string>

namespace compare {

/// Serves `/page/N` for N from 0; anything else is 404. Runs from construction to destruction.
class page_server {
 public:
  /// Listens on a port of the system's choice on 127.0.0.1.
  /// @throws boost::system::system_error if it cannot listen.
  explicit page_server(std::chrono::microseconds latency);

  page_server(const page_server&) = delete;
  page_server& operator=(const page_server&) = delete;

  /// Drops open connections and joins the thread.
  ~page_server();

  [[nodiscard]] unsigned short port() const;

  /// Processor seconds that the serving thread has used. Any thread may ask.
  [[nodiscard]] double cpu_seconds() const;

 private:
  class service;
  std::unique_ptr<service> service_;
};

/// The text of page `number`: about 8 KiB, different for each.
[[nodiscard]] std::string page_text(int number);

/// Fetches page `number` from the server on `port` of 127.0.0.1 and returns its body. Crosses to worker processes.
/// @throws std::runtime_error on any answer but 200, `boost::system::system_error` if there is none within 30 seconds.
[[nodiscard]] std::string fetch_page(int port, int number);

}  // namespace compare

#endif
