# Finds what the library itself links: kept in one place so that tandemConfig.cmake.in and tandem.pc.in can be
# compared with it. Tools' and tests' dependencies are found where they are used.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
# Headers of Boost (PFR) are in the public interface, Boost.Thread is linked privately.
find_package(Boost 1.81 REQUIRED COMPONENTS thread)
find_package(TBB REQUIRED)
find_package(cereal REQUIRED)
