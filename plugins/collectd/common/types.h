/* The catalogue's types, as collectd's data sets. Registered from C: one TypesDB line anywhere in
 * the configuration would switch off collectd's default types. Main thread. */
#ifndef SL_PLUGINS_COLLECTD_TYPES_H
#define SL_PLUGINS_COLLECTD_TYPES_H

/* Registers all of them; a type that is known already is replaced, with a NOTICE from collectd, so
 * only one plugin calls this, from module_register(). 0 or -1. */
int sl_types_register(void);

/* Registers those that collectd does not know: for plugins that may run without the reader. From an
 * init callback, when collectd has read its types.db. 0 or -1. */
int sl_types_register_missing(void);

#endif
