//! Keeps the C libraries from taking themselves apart when the process exits, while threads still use them.
//!
//! Two of them would: OpenSSL registers `OPENSSL_cleanup` with `atexit` when it is initialized, and libxml2's
//! destructor frees its tables. A thread that verifies, or drops a key, or ends, then works with what has been
//! freed. The kernel takes all of it back anyway.

use std::ffi::{c_char, c_int, c_void};

type Free = unsafe extern "C" fn(*mut c_void);
type Allocate = unsafe extern "C" fn(usize) -> *mut c_void;
type Reallocate = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
type Duplicate = unsafe extern "C" fn(*const c_char) -> *mut c_char;

unsafe extern "C" {
    fn OPENSSL_init_crypto(options: u64, settings: *const c_void) -> c_int;
    fn xmlMemSetup(free: Free, malloc: Allocate, realloc: Reallocate, strdup: Duplicate) -> c_int;
    fn free(pointer: *mut c_void);
    fn malloc(size: usize) -> *mut c_void;
    fn realloc(pointer: *mut c_void, size: usize) -> *mut c_void;
    fn strdup(text: *const c_char) -> *mut c_char;
}

/// `openssl/crypto.h`. The first initialization decides for all.
const OPENSSL_INIT_NO_ATEXIT: u64 = 0x0008_0000;

/// Initializes OpenSSL without its handler at exit; whether that worked.
///
/// # Safety
/// To be called before anything else initializes OpenSSL, or it does nothing.
pub(super) unsafe fn keep_openssl() -> bool {
    // SAFETY: there are no settings to point to.
    unsafe { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, std::ptr::null()) == 1 }
}

/// Keeps libxml2's destructor from freeing anything; whether that worked. It does so only where memory is freed by
/// `free` itself, and not by a function of the program, so it is given one.
///
/// # Safety
/// To be called before libxml2 allocates anything.
pub(super) unsafe fn keep_libxml() -> bool {
    unsafe extern "C" fn release(pointer: *mut c_void) {
        // SAFETY: libxml2 allocated it with the functions below.
        unsafe { free(pointer) };
    }
    // SAFETY: the functions are C's own, and live as long as the program.
    unsafe { xmlMemSetup(release, malloc, realloc, strdup) == 0 }
}
