import "../test-mode.test.ts";
import { postgresDatabases } from "../../support/database.ts";
import { runOn } from "../provider.ts";

runOn(postgresDatabases());
