FROM maven:3.9.9-eclipse-temurin-21 AS build
WORKDIR /work
COPY pom.xml ./
RUN mvn -B -q dependency:go-offline
COPY src/ src/
RUN mvn -B -q package -DskipTests

FROM eclipse-temurin:21.0.5_11-jre-alpine
RUN addgroup -g 10014 search && adduser -D -u 10014 -G search search
WORKDIR /search
COPY --from=build /work/target/search.jar .
COPY analyzers/ analyzers/
COPY synonyms.txt stopwords.txt ./
EXPOSE 9200 9300
HEALTHCHECK CMD wget --spider --quiet http://127.0.0.1:9200/_health || exit 1
USER search
CMD ["java", "-jar", "search.jar"]
