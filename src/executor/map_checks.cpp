// What map() and imap() refuse: options that make no sense, chunks that came back wrong, results that came too late.
#include <tandem/detail/imap.hpp>

#include <tandem/error.hpp>

#include <stdexcept>
#include <string>

namespace tandem::detail {

void check_map_options(const map_options& options) {
  check_not_negative("map_options::chunk_size", options.chunk_size);
  check_not_negative("map_options::window", options.window);
}

void throw_imap_timeout(std::size_t yielded) {
  throw timeout_error("tandem: map or imap: the timeout was over after " + std::to_string(yielded) +
                      " results; the next one is not done");
}

void check_not_negative(const char* field, int value) {
  if (value >= 0) return;
  throw std::invalid_argument(std::string("tandem: ") + field + " is " + std::to_string(value) +
                              "; it must be 0 (choose for me) or positive");
}

void check_chunk_size(std::size_t results, std::size_t items) {
  if (results == items) return;
  throw decode_error("tandem: a chunk of " + std::to_string(items) + " items came back with " +
                     std::to_string(results) +
                     " results: a task has overwritten memory of its worker process");
}

}  // namespace tandem::detail
