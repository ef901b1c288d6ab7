import { showLocalTimes } from "./local-times.js";
import { setUpSorting } from "./sort.js";

const table = document.getElementById("trials");
if (table) setUpSorting(table);
showLocalTimes();
