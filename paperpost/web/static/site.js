"use strict";
// What pages can do more where scripts run; every page works without.
