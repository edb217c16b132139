/* The memory that only the start needed. */
#ifndef SL_OS_MEMORY_H
#define SL_OS_MEMORY_H

/* Lets go of the mapped pages of code and constants; they come back one by one, from the page
 * cache, as they are used. libcurl brings thirty libraries along, and most of what the dynamic
 * linker and their constructors touch is never touched again.
 *
 * Nothing can be lost: only mappings of files that are not writable and of which no page is this
 * process's own (a relocation, a breakpoint, a patch) are let go of (proc(5), smaps: Anonymous).
 * So a guest may do it too: once, when everything has been used for the first time. What is not
 * excluded: that in the moment between the look and the letting go another thread unmaps such a
 * file and is given memory at the same place. Takes some milliseconds; a thread of ours. */
void sl_memory_trim_code(void);

/* The same for a program of its own, by the dynamic linker's list, in some microseconds. It knows
 * nothing of pages that somebody changed for us: a debugger's breakpoint in a library is lost. */
void sl_memory_trim_own_code(void);

/* Gives freed memory back to the kernel. For a program of its own: it stops every thread that
 * allocates meanwhile. */
void sl_memory_trim_heap(void);

#endif
