// The out-of-line parts of the error types: their key functions live here, so that every module shares
// one type_info and a catch works across shared libraries.
#include <tandem/error.hpp>

#include <utility>

namespace tandem {

error::~error() = default;
cancelled_error::cancelled_error() : error("tandem: the task was cancelled before it gave a result") {}
cancelled_error::~cancelled_error() = default;
timeout_error::~timeout_error() = default;
shutdown_error::~shutdown_error() = default;
broken_pool_error::~broken_pool_error() = default;
not_portable_error::~not_portable_error() = default;
decode_error::~decode_error() = default;
queue_full_error::~queue_full_error() = default;
invalid_state_error::~invalid_state_error() = default;
start_error::~start_error() = default;

worker_died_error::worker_died_error(const std::string& what, int pid, int signal, int exit_code)
    : worker_died_error(what, worker_death{.pid = pid, .signal = signal, .exit_code = exit_code}) {}
worker_died_error::worker_died_error(const std::string& what, worker_death death)
    : error(what), death_(std::make_shared<const worker_death>(std::move(death))) {}
worker_died_error::~worker_died_error() = default;

remote_error::remote_error(const std::string& what, std::string type_name, std::string trace)
    : error(what), type_name_(std::move(type_name)), trace_(std::move(trace)) {}
remote_error::~remote_error() = default;

}  // namespace tandem
