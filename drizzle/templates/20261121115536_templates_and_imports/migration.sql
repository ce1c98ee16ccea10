CREATE TABLE "import_decision" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"import_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"kind" text NOT NULL,
	"sheet" text NOT NULL,
	"row" integer NOT NULL,
	"column" integer,
	"field_key" text,
	"rule" text,
	"expected" text,
	"value" text,
	"reason" text,
	"at" timestamp(3) with time zone NOT NULL,
	"by_id" text NOT NULL,
	"by" text NOT NULL,
	CONSTRAINT "import_decision_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "import_row" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"import_id" uuid NOT NULL,
	"row" integer NOT NULL,
	"state" text NOT NULL,
	"sample_id" uuid,
	"code" text,
	"problem" text,
	CONSTRAINT "import_row_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "import" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"state" text NOT NULL,
	"file_name" text NOT NULL,
	"file_sha256" text NOT NULL,
	"template_id" uuid NOT NULL,
	"choices" jsonb NOT NULL,
	"facts" jsonb NOT NULL,
	"rows" integer NOT NULL,
	"good" integer NOT NULL,
	"to_confirm" integer NOT NULL,
	"with_errors" integer NOT NULL,
	"skipped" integer NOT NULL,
	"leading_zeros_kept" integer NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	CONSTRAINT "import_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "template" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"name" text NOT NULL,
	"version" integer NOT NULL,
	"state" text NOT NULL,
	"built_in" boolean DEFAULT false NOT NULL,
	"description" text NOT NULL,
	"definition" jsonb NOT NULL,
	"contested" boolean DEFAULT false NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	"published_at" timestamp(3) with time zone,
	CONSTRAINT "template_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE INDEX "decision_of_import" ON "import_decision" ("laboratory_id","import_id","position","id");--> statement-breakpoint
CREATE INDEX "row_of_import" ON "import_row" ("laboratory_id","import_id","row");--> statement-breakpoint
CREATE INDEX "import_created" ON "import" ("laboratory_id","created_at","id");--> statement-breakpoint
CREATE INDEX "template_name" ON "template" ("laboratory_id","name","id");--> statement-breakpoint
CREATE INDEX "template_created" ON "template" ("laboratory_id","created_at","id");--> statement-breakpoint
-- One row per version of a template. Deferrable, so that versions can change places within one change set.
ALTER TABLE "template" ADD CONSTRAINT "template_version_is_one"
  EXCLUDE USING btree ("laboratory_id" WITH =, lower("name") WITH =, "version" WITH =)
  WHERE (NOT "contested") DEFERRABLE INITIALLY IMMEDIATE;
