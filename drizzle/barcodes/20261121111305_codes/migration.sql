CREATE TABLE "code" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"text" text NOT NULL,
	"lookup_key" text NOT NULL,
	"source" text NOT NULL,
	"state" text NOT NULL,
	"thing_kind" text,
	"thing_id" text,
	"workstation_part" text,
	"counter" integer,
	"contested" boolean DEFAULT false NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	CONSTRAINT "code_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "workstation_part" (
	"part" text PRIMARY KEY,
	"drawn_at" timestamp(3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "code_of_thing" ON "code" ("laboratory_id","thing_kind","thing_id");--> statement-breakpoint
CREATE INDEX "code_counter" ON "code" ("laboratory_id","workstation_part","counter");--> statement-breakpoint
CREATE INDEX "code_created" ON "code" ("laboratory_id","created_at","id");--> statement-breakpoint
-- A live code names one thing. Deferrable, so that two codes can change places within one change set.
ALTER TABLE "code" ADD CONSTRAINT "code_names_one_thing"
  EXCLUDE USING btree ("laboratory_id" WITH =, "lookup_key" WITH =)
  WHERE ("state" <> 'released' AND NOT "contested") DEFERRABLE INITIALLY IMMEDIATE;
